import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.tokenization.make_golden import LONG, SHORT
from tf_led.tokenization.encoding import (
    CALL_ORDER,
    ENCODE_ORDER,
    Ids,
    as_rows,
    is_rust_error,
    mark_ids,
    name_arguments,
)


def test_positions_become_names():
    assert name_arguments(ENCODE_ORDER, (False, True), {"stride": 3}) == {
        "add_special_tokens": False,
        "padding": True,
        "stride": 3,
    }


def test_too_many_positions_raise():
    with pytest.raises(TypeError, match="Only 7 options have a position, got 8"):
        name_arguments(ENCODE_ORDER, range(8), {})


def test_an_option_given_twice_raises():
    with pytest.raises(TypeError, match="padding: given by position and by name"):
        name_arguments(CALL_ORDER, (True, True), {"padding": False})


def test_texts_become_rows():
    assert as_rows("a", None, False) == ([("a", None)], False)
    assert as_rows("a", "b", False) == ([("a", "b")], False)
    assert as_rows(["a", "b"], None, False) == ([("a", None), ("b", None)], True)
    assert as_rows(["a"], ["b"], False) == ([("a", "b")], True)
    assert as_rows([("a", "b"), "c"], None, False) == ([("a", "b"), ("c", None)], True)


def test_words_become_rows():
    assert as_rows(["a", "b"], None, True) == ([(["a", "b"], None)], False)
    assert as_rows([["a"], ["b"]], None, True) == ([(["a"], None), (["b"], None)], True)
    assert as_rows([(["a"], ["b"])], None, True) == ([(["a"], ["b"])], True)


def test_ids_stand_for_texts():
    assert as_rows(Ids([3, 5]), "a", False) == ([([3, 5], "a")], False)
    assert isinstance(mark_ids([3, 5]), Ids) and mark_ids("a") == "a"
    first, second = mark_ids(([3], "a"))
    assert isinstance(first, Ids) and second == "a"


@pytest.mark.parametrize(
    ("text", "split", "message"),
    [
        (5, False, "`text` must be a str, or a list of them, got 5"),
        (["a", None], False, r"`text\[1\]` must be a str.* got None"),
        (
            [["a", "b", "c"]],
            False,
            r"`text\[0\]` must be a str.* got \['a', 'b', 'c'\]",
        ),
        ([3, 5], False, r"`text\[0\]` must be a str.* got 3"),
        ("a b", True, r"`text` must be a list of words \(str\).* got 'a b'"),
        ([["a"], "b"], True, r"`text\[1\]` must be a list of words.* got 'b'"),
        ([], False, "`text` is an empty list"),
    ],
)
def test_what_is_no_text_raises(tokenizer, text, split, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(text, is_split_into_words=split, add_prefix_space=split)


def test_pairs_that_do_not_match_raise(tokenizer):
    with pytest.raises(ValueError, match="`text` has 2 texts and `text_pair` 1"):
        tokenizer(["a", "b"], ["c"])
    with pytest.raises(TypeError, match="`text_pair` must be a list .* not str"):
        tokenizer(["a", "b"], "cd")
    with pytest.raises(ValueError, match=r"`text` must be a str.* got \['b'\]"):
        tokenizer("a", ["b"])


OPTIONS = {"padding": True, "truncation": True, "max_length": 7}


@pytest.mark.parametrize(
    ("kind", "is_one"),
    [
        ("tf", tf.is_tensor),
        ("np", lambda a: type(a) is np.ndarray),
        ("pt", torch.is_tensor),
    ],
)
def test_every_entrance_returns_tensors(tokenizer, kind, is_one):
    lists = tokenizer([SHORT, LONG], **OPTIONS)["input_ids"]
    for ids in (
        tokenizer([SHORT, LONG], return_tensors=kind, **OPTIONS)["input_ids"],
        tokenizer.batch_encode_plus([SHORT, LONG], return_tensors=kind, **OPTIONS)[
            "input_ids"
        ],
    ):
        assert is_one(ids)
        np.testing.assert_array_equal(np.asarray(ids), lists)
    for ids in (
        tokenizer.encode(SHORT, return_tensors=kind),
        tokenizer.encode_plus(SHORT, return_tensors=kind).input_ids,
        tokenizer(SHORT, return_tensors=kind).input_ids,
        tokenizer.prepare_for_model([5], return_tensors=kind, prepend_batch_axis=True)[
            "input_ids"
        ],
    ):
        assert is_one(ids) and ids.shape[0] == 1


def test_targets_become_labels_of_the_same_kind(tokenizer):
    inputs = tokenizer([LONG], text_target=[SHORT], return_tensors="tf")
    expected = tokenizer([SHORT])["input_ids"]
    assert inputs["labels"].numpy().tolist() == expected
    assert inputs["labels"].dtype == tf.int32


def test_offsets_point_into_the_text(tokenizer):
    text = "naïve  日本 <mask> a"
    encoded = tokenizer(text, return_offsets_mapping=True, return_tensors="tf")
    assert encoded["offset_mapping"].shape == (1, len(encoded.tokens()), 2)
    plain = tokenizer(text, return_offsets_mapping=True)
    pieces = [text[start:stop] for start, stop in plain["offset_mapping"]]
    assert pieces[0] == pieces[-1] == "" and "日本"[0] in "".join(pieces)
    assert plain.char_to_token(0) == 1 and plain.word_ids()[1] == 0


def test_a_space_is_put_before_the_text_for_one_call_only(tokenizer):
    before = tokenizer("text").input_ids
    spaced = tokenizer("text", add_prefix_space=True, return_offsets_mapping=True)
    assert spaced["input_ids"] == tokenizer(" text").input_ids != before
    assert spaced["offset_mapping"][1][0] == 0
    assert tokenizer("text").input_ids == before
    always = type(tokenizer)(
        tokenizer.init_kwargs["vocab_file"],
        tokenizer.init_kwargs["merges_file"],
        add_prefix_space=True,
    )
    assert always("text", add_prefix_space=False).input_ids == before
    assert always("text").input_ids == spaced["input_ids"]


def test_the_space_is_taken_back_after_a_failure(tokenizer, monkeypatch):
    monkeypatch.setattr(type(tokenizer), "_library_rows", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tokenizer("text", add_prefix_space=True)
    monkeypatch.undo()
    assert tokenizer("text").input_ids != tokenizer(" text").input_ids


def test_options_have_their_place_as_in_transformers_4(tokenizer):
    named = {"max_length": 9, "stride": 1, "padding": "max_length", "truncation": True}
    placed = (True, "max_length", True, 9, 1)
    expected = tokenizer(LONG, SHORT, **named)
    assert tokenizer.encode_plus(LONG, SHORT, *placed) == expected
    assert tokenizer.encode(LONG, SHORT, *placed) == expected["input_ids"]
    batch = tokenizer.batch_encode_plus([(LONG, SHORT)], *placed)
    assert batch["input_ids"] == [expected["input_ids"]]
    left = tokenizer.encode(SHORT, None, *placed, "left", "np")
    assert left[0, 0] == tokenizer.pad_token_id


def test_tokenize_takes_pairs_and_cuts(tokenizer):
    assert tokenizer.tokenize("a b", "c", True) == [
        "<s>",
        "a",
        "Ġb",
        *["</s>"] * 2,
        "c",
    ] + ["</s>"]
    assert len(tokenizer.tokenize(LONG, truncation=True, max_length=3)) == 3


def test_an_unknown_option_raises(tokenizer):
    for call in (tokenizer, tokenizer.encode, tokenizer.tokenize):
        with pytest.raises(TypeError, match="has no option trunctation"):
            call("a", trunctation=True)


def test_one_text_is_no_batch(tokenizer):
    with pytest.raises(TypeError, match="must be a list, not str"):
        tokenizer.batch_encode_plus("a b")


def test_options_out_of_range_raise(tokenizer):
    with pytest.raises(ValueError, match="`max_length` must .* at least 1, got 0"):
        tokenizer("a", truncation=True, max_length=0)
    with pytest.raises(ValueError, match="`max_length` must be an integer.* got 2.5"):
        tokenizer("a", truncation=True, max_length=2.5)
    with pytest.raises(ValueError, match="`stride` must .* at least 0, got -1"):
        tokenizer("a", truncation=True, max_length=5, stride=-1)
    with pytest.raises(ValueError, match="`padding_side` must .* got 'top'"):
        tokenizer("a", padding=True, padding_side="top")
    with pytest.raises(ValueError, match="`pad_to_multiple_of` must .* got -7"):
        tokenizer("a", padding=True, pad_to_multiple_of=-7)


def test_what_rust_rejects_is_a_value_error(fast):
    with pytest.raises(ValueError, match="'only_second' with `max_length`=5 .*Second"):
        fast(LONG, truncation="only_second", max_length=5)
    with pytest.raises(
        ValueError, match="'only_first' with `max_length`=6 .*too short"
    ):
        fast(SHORT, LONG, truncation="only_first", max_length=6)


def test_a_panic_in_rust_is_a_value_error(fast, capfd):
    options = {"truncation": "only_second", "max_length": 8, "stride": 2}
    with pytest.raises(ValueError, match="`stride`=2 cannot be done.*`stride` must be"):
        fast(SHORT, LONG, return_overflowing_tokens=True, **options)
    assert "panicked" in capfd.readouterr().err
    # Without the overflow there is nothing for the stride to do.
    assert len(fast(SHORT, LONG, **options).input_ids) == 8


def test_other_errors_are_not_taken_for_rusts():
    assert is_rust_error(Exception("a"))
    assert not is_rust_error(ValueError("a")) and not is_rust_error(KeyboardInterrupt())


def test_a_block_for_targets_changes_nothing(tokenizer):
    with tokenizer.as_target_tokenizer():
        assert tokenizer(SHORT) == tokenizer(text_target=SHORT)


def test_documents_and_summaries_make_a_batch(tokenizer):
    batch = tokenizer.prepare_seq2seq_batch(
        [LONG, SHORT], [SHORT, SHORT], max_target_length=4, return_tensors="tf"
    )
    assert batch["input_ids"].shape == (2, 9)
    assert batch["labels"].shape == (2, 4)
    assert "labels" not in tokenizer.prepare_seq2seq_batch([LONG])
