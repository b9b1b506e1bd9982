import logging

import pytest

from tests.tokenization.make_golden import LONG, SHORT

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


def test_a_cut_that_cannot_be_made_raises_with_offsets(slow):
    with pytest.raises(ValueError, match="'only_second' with `max_length`=5"):
        slow(LONG, truncation="only_second", max_length=5, return_offsets_mapping=True)


def test_an_empty_second_text_counts(slow, fast):
    assert slow("a", "").input_ids == [*fast("a").input_ids, 2, 2]


def test_words_get_a_space_each(slow):
    words = ["the", "text", " a"]
    encoded = slow(words, is_split_into_words=True, return_offsets_mapping=True)
    assert encoded["input_ids"] == slow(" the text a").input_ids
    assert encoded["offset_mapping"][1] == (0, 3)


def test_contradictions_raise(slow):
    with pytest.raises(ValueError, match="`return_token_type_ids=True` has no meaning"):
        slow("a", return_token_type_ids=True, add_special_tokens=False)
    with pytest.raises(ValueError, match="needs a `max_length`"):
        slow("a", return_overflowing_tokens=True)
    with pytest.raises(ValueError, match="a pair that is cut by 'longest_first'"):
        slow(LONG, LONG, return_overflowing_tokens=True, **CUT)
