import copy
import json
import pickle

import numpy as np
import pytest
import tensorflow as tf
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import AddedToken

from tests.tokenization.conftest import BOTH, FILES
from tests.tokenization.make_golden import LONG, SHORT, TEXTS
from tf_led.tokenization.base import check_vocabulary
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer

VOCAB, MERGES = {"<s>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]


def test_paths_and_values_pass():
    assert check_vocabulary(*FILES) == tuple(str(path) for path in FILES)
    assert check_vocabulary(VOCAB, MERGES) == (VOCAB, MERGES)


def test_merges_may_be_lines():
    assert check_vocabulary(VOCAB, ["a b"]) == (VOCAB, MERGES)


@pytest.mark.parametrize(
    ("vocab", "merges", "message"),
    [
        (None, MERGES, "`vocab_file` is missing in 'here'"),
        (VOCAB, None, "`merges_file` is missing in 'here'"),
        (VOCAB, FILES[1], "both as paths or both as values"),
        (FILES[0], MERGES, "both as paths or both as values"),
        (VOCAB, [("a", "b", "c")], r"`merges` must hold pairs.* got \('a', 'b', 'c'\)"),
    ],
)
def test_what_is_no_vocabulary_raises(vocab, merges, message):
    with pytest.raises(ValueError, match=message):
        check_vocabulary(vocab, merges, "here")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`merges_file`.*nowhere.txt"):
        check_vocabulary(FILES[0], tmp_path / "nowhere.txt")


SMALL_VOCAB = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}


@pytest.mark.parametrize("cls", BOTH)
def test_made_of_paths_or_values_by_either_name(cls, tokenizer):
    vocab, merges = BPE.read_file(*(str(path) for path in FILES))
    expected = cls(*FILES)(TEXTS).data
    for made in (
        cls(str(FILES[0]), merges_file=str(FILES[1])),
        cls(vocab_file=FILES[0], merges_file=FILES[1]),
        cls(vocab, merges),
        cls(vocab=vocab, merges=merges),
        copy.deepcopy(tokenizer),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert made(TEXTS).data == expected


def test_special_tokens_beyond_the_vocabulary_are_added(tokenizer):
    small = type(tokenizer)(SMALL_VOCAB, [], additional_special_tokens=["<sep>"])
    assert len(small) == 7
    assert small("a<mask><sep>").input_ids == [
        0,
        4,
        *small.additional_special_tokens_ids,
    ][:2] + [small.mask_token_id, *small.additional_special_tokens_ids, 2]


def test_tokens_keep_the_properties_they_are_given(tokenizer):
    token = AddedToken("<pad>", rstrip=True, special=True)
    made = type(tokenizer)(*FILES, pad_token=token)
    assert made.added_tokens_decoder[1].rstrip
    assert not made.added_tokens_decoder[0].rstrip


def test_made_of_tokenizer_json(tokenizer, tmp_path):
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(tmp_path, legacy_format=False)
    path = tmp_path / "tokenizer.json"
    made = type(tokenizer)(tokenizer_file=path)
    assert made("a <new> <mask>") == tokenizer("a <new> <mask>")
    spaced = type(tokenizer)(tokenizer_file=path, add_prefix_space=True)
    assert spaced("a").input_ids == tokenizer(" a").input_ids


def test_trained_anew_it_stays_what_it_is(tokenizer):
    trained = tokenizer.train_new_from_iterator([["aa ab aa ab"] * 5], 263)
    assert type(trained) is type(tokenizer) and len(trained) == 263
    assert trained.decode(trained("ab aa").input_ids, True) == "ab aa"


def test_what_cannot_be_built_raises(tokenizer, tmp_path):
    cls = type(tokenizer)
    with pytest.raises(ValueError, match="No tokenizer can.*Token `b` out of vocabul"):
        cls(SMALL_VOCAB, [("a", "b")])
    with pytest.raises(
        ValueError, match="can be made of .*merges.txt and .*merges.txt"
    ):
        cls(FILES[1], FILES[1])
    with pytest.raises(
        ValueError, match="can be made of .*vocab.json and .*vocab.json"
    ):
        cls(FILES[0], FILES[0])
    with pytest.raises(ValueError, match="can be made of .*vocab.json"):
        cls(tokenizer_file=FILES[0])
    with pytest.raises(FileNotFoundError, match="`tokenizer_file`.*nowhere.json"):
        cls(tokenizer_file=tmp_path / "nowhere.json")
    with pytest.raises(ValueError, match="`vocab_file` is missing. An LED"):
        cls()
    with pytest.raises(TypeError, match="pad_token has to be either str or AddedToken"):
        cls(*FILES, pad_token=5)


IDS = [[0, 403, 224, 17, 2], [0, 68, 2, 1, 1]]
DECODED = ["the .", "a"]


@pytest.mark.parametrize("make", [list, np.array, tf.constant, tf.ragged.constant])
def test_rows_of_any_kind_are_decoded(tokenizer, make):
    rows = make(IDS)
    assert tokenizer.batch_decode(rows, skip_special_tokens=True) == DECODED
    assert tokenizer.decode(rows, True) == DECODED
    assert tokenizer.decode(rows[0], skip_special_tokens=True) == DECODED[0]
    assert tokenizer.convert_ids_to_tokens(rows[1], True) == ["a"]


def test_spaces_are_cleaned_up_where_asked(tokenizer):
    assert tokenizer.decode(IDS[0], True, clean_up_tokenization_spaces=True) == "the."
    tokenizer.clean_up_tokenization_spaces = True
    assert tokenizer.batch_decode(IDS, True) == ["the.", "a"]
    assert tokenizer.decode(IDS[0], True, clean_up_tokenization_spaces=False) == "the ."


def test_negative_ids_raise(tokenizer):
    with pytest.raises(ValueError, match="`token_ids` must not be negative, got -100"):
        tokenizer.batch_decode([[0, 5, 2], [5, -100, -100]])


def test_added_tokens_stand_apart_for_the_python_class_only(slow, fast):
    for tokenizer in (slow, fast):
        tokenizer.add_tokens(["<new>"])
    ids = slow("a<new>b").input_ids
    assert slow.decode(ids, True) == "a <new> b"
    assert slow.decode(ids, True, spaces_between_special_tokens=False) == "a<new>b"
    assert fast.decode(ids, True) == "a<new>b"
    assert slow.decode(562) == fast.decode(562) == "<new>"


def test_bytes_that_are_no_utf_8(slow):
    ids = slow("é").input_ids[1:2]
    assert slow.decode(ids) == slow.convert_tokens_to_string(["Ã"]) == "\ufffd"
    assert LEDTokenizer(*FILES, errors="ignore").decode(ids) == ""
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        LEDTokenizer(*FILES, errors="strict").decode(ids)


EARLIER_CALLS = [
    {"padding": "max_length", "max_length": 11, "truncation": True},
    {"padding": True, "pad_to_multiple_of": 13, "padding_side": "left"},
    {"split_special_tokens": True},
    {"truncation": True, "max_length": 3, "stride": 1},
]


@pytest.mark.slow
@pytest.mark.parametrize("options", EARLIER_CALLS)
def test_no_call_changes_what_comes_after_it(tokenizer, tmp_path, options):
    text = f"{LONG} <mask>"
    fresh = type(tokenizer)(*FILES)
    tokenizer([text, SHORT], **options)
    tokenizer.save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text())
    assert state["padding"] is None and state["truncation"] is None
    tokenizer([text, SHORT], **options)
    for other in (
        tokenizer,
        copy.deepcopy(tokenizer),
        pickle.loads(pickle.dumps(tokenizer)),
        type(tokenizer).from_pretrained(tmp_path),
    ):
        assert other([text, SHORT]).data == fresh([text, SHORT]).data
        assert other.tokenize(text) == fresh.tokenize(text)
        assert other.decode(other.encode(text)) == fresh.decode(fresh.encode(text))
        padded = other([text, SHORT], padding=True).data
        assert padded == fresh([text, SHORT], padding=True).data
    tokenizer([text, SHORT], **options)
    ids = GraphTokenizer(tokenizer)([text])["input_ids"].numpy().tolist()
    assert ids == [fresh(text).input_ids]


def test_padding_kept_in_a_file_changes_no_result(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    rust = Tokenizer.from_file(str(path))
    rust.enable_padding(length=17, pad_id=1, pad_token="<pad>")
    rust.enable_truncation(3)
    rust.save(str(path))
    loaded = type(tokenizer).from_pretrained(tmp_path)
    assert loaded([LONG, SHORT]).data == tokenizer([LONG, SHORT]).data
    assert loaded.backend_tokenizer.encode(LONG).ids == tokenizer.encode(LONG)
    assert GraphTokenizer(loaded)


@pytest.mark.parametrize("errors", [{}, 3, None, "unheard of", "a\0b"])
def test_errors_that_decoding_does_not_know(tokenizer, errors):
    with pytest.raises(ValueError, match="`errors` must be") as caught:
        type(tokenizer)(*FILES, errors=errors)
    assert repr(errors) in str(caught.value)
