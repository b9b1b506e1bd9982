import json
import logging

import pytest

from tests.tokenization.conftest import FILES
from tests.tokenization.make_golden import LONG, SHORT
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

CUT = {"truncation": "longest_first", "max_length": 9}


def test_the_odd_id_of_a_pair_stays_with_the_first_text(slow, fast):
    text = "a b c d"
    assert len(slow(text, text, **CUT).input_ids) == 9
    assert slow(text, text, **CUT).input_ids[4] == slow.sep_token_id
    assert fast(text, text, **CUT).input_ids[3] == fast.sep_token_id


def test_word_maps_are_there_unless_python_cut_a_pair(slow):
    assert slow(LONG, truncation=True, max_length=5).word_ids()[1:4] == [0, 1, 2]
    assert slow(SHORT, SHORT, truncation=True, max_length=31).word_ids()[1] == 0
    assert slow(LONG, LONG, truncation="only_first", max_length=12).is_fast
    assert not slow(LONG, LONG, **CUT).is_fast


def test_overflow_is_a_field_of_each_row(slow, fast):
    options = {**CUT, "max_length": 5, "return_overflowing_tokens": True}
    rows = slow([LONG, SHORT], **options)
    assert [len(ids) for ids in rows["overflowing_tokens"]] == [4, 0]
    assert rows["num_truncated_tokens"] == [4, 0]
    assert len(fast([LONG, SHORT], **options)["input_ids"]) == 4


def test_length_counts_the_padding_of_one_text_but_not_of_a_batch(slow, fast):
    options = {**CUT, "padding": "max_length", "return_length": True}
    for overflow in (True, False):
        options["return_overflowing_tokens"] = overflow
        assert slow(SHORT, **options)["length"] == 9
        assert slow([SHORT, LONG], **options)["length"] == [5, 9]
    assert fast([SHORT, LONG], **options)["length"] == [9, 9]


def test_with_offsets_the_overflow_is_rows(slow, fast):
    options = {**CUT, "max_length": 5, "return_overflowing_tokens": True}
    options["return_offsets_mapping"] = True
    assert slow(LONG, **options) == fast(LONG, **options)
    assert slow(LONG, **options)["overflow_to_sample_mapping"] == [0, 0, 0]
    pairs = {**CUT, "return_offsets_mapping": True}
    assert slow(LONG, LONG, **pairs) == fast(LONG, LONG, **pairs)


@pytest.mark.parametrize(
    ("pair", "options"),
    [
        (None, {"truncation": "only_second", "max_length": 5}),
        (None, {"truncation": True, "max_length": 2}),
        (LONG, {"truncation": "only_first", "max_length": 6}),
    ],
)
def test_a_cut_that_cannot_be_made_is_logged_and_left(slow, caplog, pair, options):
    with caplog.at_level(logging.ERROR):
        assert slow(LONG, pair, **options) == slow(LONG, pair)
    assert "nothing is cut" in caplog.text


def test_a_cut_that_cannot_be_made_is_refused_with_offsets(slow):
    with pytest.raises(ValueError, match="'only_second' with `max_length`=5"):
        slow(LONG, truncation="only_second", max_length=5, return_offsets_mapping=True)


def test_an_empty_second_text_counts(slow, fast):
    assert slow("a", "").input_ids == [*fast("a").input_ids, 2, 2]


def test_words_get_a_space_each(slow):
    words = ["the", "text", " a"]
    encoded = slow(words, is_split_into_words=True, return_offsets_mapping=True)
    assert encoded["input_ids"] == slow(" the text a").input_ids
    assert encoded["offset_mapping"][1] == (0, 3)


def test_contradictions_are_refused(slow):
    with pytest.raises(ValueError, match="`return_token_type_ids=True` has no meaning"):
        slow("a", return_token_type_ids=True, add_special_tokens=False)
    with pytest.raises(ValueError, match="needs a `max_length`"):
        slow("a", return_overflowing_tokens=True)
    with pytest.raises(ValueError, match="a pair that is cut by 'longest_first'"):
        slow(LONG, LONG, return_overflowing_tokens=True, **CUT)


IDS = [70, 71, 72, 73]


def test_ids_and_tokens_count_as_texts(slow):
    assert slow.encode(IDS) == [0, *IDS, 2]
    assert slow.encode(["a", "Ġb"], IDS) == [*slow("a b").input_ids, 2, *IDS, 2]
    assert slow.encode("a b", IDS) == [*slow("a b").input_ids, 2, *IDS, 2]
    encoded = slow.encode_plus(IDS, max_length=5, return_overflowing_tokens=True)
    assert encoded["overflowing_tokens"] == [73]


def test_a_batch_may_hold_ids(slow):
    batch = slow.batch_encode_plus([IDS, "a b", (IDS, "a b")], padding=True)
    assert batch["input_ids"][0] == [0, *IDS, 2, *[1] * 4]
    assert batch["input_ids"][2] == slow.encode(IDS, "a b")
    assert [sum(mask) for mask in batch["attention_mask"]] == [6, 4, 10]


def test_a_call_takes_no_ids_and_ids_have_no_offsets(slow, fast):
    for refusing in (slow, fast, fast.encode):
        with pytest.raises(ValueError, match="`text.*must be a str.* got 70"):
            refusing(IDS)
    with pytest.raises(ValueError, match="`return_offsets_mapping` needs text"):
        slow.encode_plus(IDS, return_offsets_mapping=True)


def test_vocabulary_and_merges_as_dicts(slow):
    vocab = json.loads(FILES[0].read_text(encoding="utf-8"))
    merges = FILES[1].read_text(encoding="utf-8").splitlines()[1:]
    slow.add_tokens(["<new>"])
    assert slow.encoder == vocab and len(slow) == len(vocab) + 1
    assert slow.decoder == {token_id: token for token, token_id in vocab.items()}
    assert list(slow.bpe_ranks) == [tuple(line.split(" ")) for line in merges]
    assert list(slow.bpe_ranks.values()) == list(range(301))


def test_every_byte_has_its_character(slow):
    assert sorted(slow.byte_encoder) == list(range(256))
    assert slow.byte_encoder[ord(" ")] == "Ġ" and slow.byte_decoder["Ġ"] == ord(" ")
    assert len(slow.byte_decoder) == 256


def test_a_space_goes_before_words(slow):
    assert slow.prepare_for_tokenization("a", True, b=5) == (" a", {"b": 5})
    assert slow.prepare_for_tokenization("a") == ("a", {})
    assert slow.prepare_for_tokenization("\na", add_prefix_space=True) == ("\na", {})
    assert slow.prepare_for_tokenization("", True) == ("", {})


def test_special_tokens_that_are_added_get_a_name():
    slow = LEDTokenizer(*FILES)
    assert slow.add_tokens("<one>", special_tokens=True) == 1
    assert slow.add_tokens(["<two>"]) == 1
    assert slow.add_tokens(["<one>"], special_tokens=True) == 0
    assert slow.additional_special_tokens == ["<one>"]
    assert slow.decode(slow("a<one>").input_ids, skip_special_tokens=True) == "a"


def test_a_length_without_room_is_refused(fast):
    with pytest.raises(ValueError, match="at least 2, the number of special .* got 1"):
        fast("a b", truncation=True, max_length=1)
    with pytest.raises(ValueError, match="at least 4, the number of special .* got 3"):
        fast("a", "b", truncation=True, max_length=3)
    assert fast("a b", truncation=True, max_length=2).input_ids == [0, 2]
    plain = {"add_special_tokens": False, "truncation": True, "max_length": 1}
    assert len(fast("a b", **plain).input_ids) == 1


def test_words_need_a_tokenizer_that_puts_spaces(fast):
    with pytest.raises(ValueError, match="needs .* `add_prefix_space=True`"):
        fast(["a", "b"], is_split_into_words=True)
    spaced = fast(["a", "b"], is_split_into_words=True, add_prefix_space=True)
    made = LEDTokenizerFast(*FILES, add_prefix_space=True)
    assert made(["a", "b"], is_split_into_words=True) == spaced


def test_tokens_show_what_the_mask_took_along(fast, slow):
    assert fast.tokenize("a <mask>") == ["a", " <mask>"]
    assert slow.tokenize("a <mask>") == ["a", "<mask>"]
