import numpy as np
import pytest
import tensorflow as tf

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

NEW = ["<doc-sep>", "<sent>"]


@pytest.mark.parametrize("make", [list, np.array, tf.constant])
def test_ids_may_be_lists_arrays_and_tensors(tokenizer, make):
    ids, pair = make([5, 7]), make([11])
    framed = [0, 5, 7, 2, 2, 11, 2]
    assert tokenizer.build_inputs_with_special_tokens(ids, pair) == framed
    assert tokenizer.create_token_type_ids_from_sequences(ids, pair) == [0] * 7
    assert tokenizer.get_special_tokens_mask(ids, pair) == [1, 0, 0, 1, 1, 0, 1]
    assert tokenizer.get_special_tokens_mask(
        make(framed), already_has_special_tokens=True
    ) == [1, 0, 0, 1, 1, 0, 1]


def test_each_class_has_its_own_ends():
    odd = {"cls_token": "a", "sep_token": "b", "bos_token": "c", "eos_token": "d"}
    slow, fast = LEDTokenizer(*FILES, **odd), LEDTokenizerFast(*FILES, **odd)
    a, b, c, d = slow.convert_tokens_to_ids(list("abcd"))
    assert slow.build_inputs_with_special_tokens([5]) == [a, 5, b]
    assert fast.build_inputs_with_special_tokens([5]) == [c, 5, d]


def test_a_second_sequence_where_special_tokens_are_raises(tokenizer):
    with pytest.raises(ValueError, match="should not supply a second sequence"):
        tokenizer.get_special_tokens_mask([0, 5, 2], [7], True)


def test_additional_special_tokens_by_both_names(tokenizer):
    tokenizer.add_special_tokens({"additional_special_tokens": NEW[:1]})
    tokenizer.add_special_tokens(
        {"additional_special_tokens": NEW[1:]}, replace_additional_special_tokens=False
    )
    assert tokenizer.additional_special_tokens == tokenizer.extra_special_tokens == NEW
    ids = tokenizer.convert_tokens_to_ids(NEW)
    assert tokenizer.additional_special_tokens_ids == ids == [562, 563]
    assert tokenizer.special_tokens_map["additional_special_tokens"] == NEW
    assert [str(t) for t in tokenizer.all_special_tokens_extended[-2:]] == NEW
    tokenizer.additional_special_tokens = NEW[1:]
    assert tokenizer.extra_special_tokens == NEW[1:]


def test_missing_special_tokens_are_added(tokenizer):
    tokenizer.additional_special_tokens = NEW
    assert tokenizer.sanitize_special_tokens() == 2
    assert tokenizer.convert_tokens_to_ids(NEW) == [562, 563]


def test_an_unknown_name_raises(tokenizer):
    with pytest.raises(ValueError, match="Key sap_token is not a valid special token"):
        tokenizer.add_special_tokens({"sap_token": "<a>"})


def test_the_mask_takes_the_space_before_it_unless_told_otherwise(tokenizer):
    from transformers import AddedToken

    assert tokenizer("a <mask>").input_ids == tokenizer("a<mask>").input_ids
    mask = AddedToken("<mask>", lstrip=False, special=True)
    other = type(tokenizer)(*FILES, mask_token=mask)
    assert other("a <mask>").input_ids != other("a<mask>").input_ids
