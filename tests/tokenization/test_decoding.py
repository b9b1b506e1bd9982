import numpy as np
import pytest
import tensorflow as tf

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizer

IDS = [[0, 403, 224, 17, 2], [0, 68, 2, 1, 1]]
TEXTS = ["the .", "a"]


@pytest.mark.parametrize("make", [list, np.array, tf.constant, tf.ragged.constant])
def test_rows_of_any_kind_are_decoded(tokenizer, make):
    rows = make(IDS)
    assert tokenizer.batch_decode(rows, skip_special_tokens=True) == TEXTS
    assert tokenizer.decode(rows, True) == TEXTS
    assert tokenizer.decode(rows[0], skip_special_tokens=True) == TEXTS[0]
    assert tokenizer.convert_ids_to_tokens(rows[1], True) == ["a"]


def test_spaces_are_cleaned_up_where_asked(tokenizer):
    assert tokenizer.decode(IDS[0], True, clean_up_tokenization_spaces=True) == "the."
    tokenizer.clean_up_tokenization_spaces = True
    assert tokenizer.batch_decode(IDS, True) == ["the.", "a"]
    assert tokenizer.decode(IDS[0], True, clean_up_tokenization_spaces=False) == "the ."


def test_negative_ids_are_refused(tokenizer):
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
