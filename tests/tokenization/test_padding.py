import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DataCollatorForSeq2Seq

from tests.tokenization.conftest import BOTH, FILES
from tf_led.tokenization.padding import pad_global

ROWS = [
    {"input_ids": [5, 7, 11], "global_attention_mask": [1, 0, 0]},
    {"input_ids": [13], "global_attention_mask": [1]},
]


def test_the_global_mask_is_padded_like_the_others(tokenizer):
    padded = tokenizer.pad(ROWS)
    assert padded["input_ids"] == [[5, 7, 11], [13, 1, 1]]
    assert padded["attention_mask"] == [[1, 1, 1], [1, 0, 0]]
    assert padded["global_attention_mask"] == [[1, 0, 0], [1, -1, -1]]


def test_the_global_mask_follows_the_side_that_is_asked_for(tokenizer):
    # 4.57 looked at the tokenizer's side only, and so tore mask and ids apart.
    padded = tokenizer.pad(ROWS, padding_side="left")
    assert padded["input_ids"][1] == [1, 1, 13]
    assert padded["global_attention_mask"][1] == [-1, -1, 1]


def test_the_global_mask_is_padded_without_an_attention_mask(tokenizer):
    padded = tokenizer.pad(ROWS, return_attention_mask=False)
    assert "attention_mask" not in padded
    assert padded["global_attention_mask"] == [[1, 0, 0], [1, -1, -1]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_twice_changes_nothing(tokenizer, side):
    once = tokenizer.pad(ROWS, padding_side=side, pad_to_multiple_of=7)
    assert tokenizer.pad(once, padding_side=side) == once
    assert len(once["global_attention_mask"][1]) == 7


def test_the_input_is_left_alone(tokenizer):
    rows = [{key: list(value) for key, value in row.items()} for row in ROWS]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    tokenizer.pad(rows), tokenizer.pad(columns), tokenizer.pad(dict(rows[1]))
    assert rows == ROWS and columns.keys() == ROWS[0].keys()
    assert columns["input_ids"] == [[5, 7, 11], [13]]


@pytest.mark.parametrize(
    ("kind", "make"), [("tf", tf.constant), ("np", np.array), ("pt", torch.tensor)]
)
def test_tensors_come_back_as_they_went_in(tokenizer, kind, make):
    rows = [{key: make(value) for key, value in row.items()} for row in ROWS]
    named = tokenizer.pad(ROWS, return_tensors=kind)
    for key, value in tokenizer.pad(rows).items():
        assert type(value) is type(named[key]) is type(make([5]))
        np.testing.assert_array_equal(np.asarray(value), np.asarray(named[key]))


def test_tensorflow_columns_and_other_kinds_in_one_row(tokenizer):
    columns = {"input_ids": tf.constant([[5, 7]]), "global_attention_mask": [[1, 0]]}
    padded = tokenizer.pad(columns, padding="max_length", max_length=3)
    assert padded["global_attention_mask"].numpy().tolist() == [[1, 0, -1]]
    mixed = {"input_ids": [5, 7], "global_attention_mask": np.array([1, 0])}
    padded = tokenizer.pad(mixed, padding="max_length", max_length=3)
    assert padded["global_attention_mask"] == [1, 0, -1]


def test_the_collator_of_transformers_pads_the_global_mask(tokenizer):
    rows = [{**row, "labels": row["input_ids"][:2]} for row in ROWS]
    batch = DataCollatorForSeq2Seq(tokenizer, return_tensors="np")(rows)
    np.testing.assert_array_equal(
        batch["global_attention_mask"], [[1, 0, 0], [1, -1, -1]]
    )
    np.testing.assert_array_equal(batch["labels"], [[5, 7], [13, -100]])


@pytest.mark.parametrize("mask", [[], [1], [1, 0, 0, 0], [1] * 6])
def test_a_global_mask_that_does_not_fit_raises(tokenizer, mask):
    row = {"input_ids": [5, 7], "global_attention_mask": mask}
    with pytest.raises(ValueError, match=rf"has {len(mask)} entries for 2 `input_ids`"):
        tokenizer.pad([row], padding="max_length", max_length=5)


def test_nothing_to_pad_raises(tokenizer):
    with pytest.raises(ValueError, match="`encoded_inputs` is empty"):
        tokenizer.pad([])
    with pytest.raises(ValueError, match=r"includes input_ids, but you provided \["):
        tokenizer.pad({"attention_mask": [[1]]})
    with pytest.raises(TypeError, match="must be a dict or a list of dicts, not str"):
        tokenizer.pad("a b")
    with pytest.raises(
        TypeError, match=r"`encoded_inputs\[1\]` must be a dict, not lis"
    ):
        tokenizer.pad([ROWS[0], [5]])


def test_rows_that_do_not_go_together_raise(tokenizer):
    odd = [ROWS[0], {"input_ids": [5], "labels": [3]}]
    message = r"encoded_inputs\[1\]` differs .* \['global_attention_mask', 'labels'\]"
    with pytest.raises(ValueError, match=message):
        tokenizer.pad(odd)
    with pytest.raises(ValueError, match="`labels` has 3 rows and `input_ids` 2"):
        tokenizer.pad({"input_ids": [[5], [7]], "labels": [[3], [5], [7]]})


def test_bad_sides_and_multiples_raise(tokenizer):
    with pytest.raises(ValueError, match="`padding_side` must .* got 'middle'"):
        tokenizer.pad(ROWS, padding_side="middle")
    with pytest.raises(ValueError, match="`pad_to_multiple_of` must .* got 0"):
        tokenizer.pad(ROWS, pad_to_multiple_of=0)
    with pytest.raises(ValueError, match="`max_length` must .* got -3"):
        tokenizer.pad(ROWS, padding="max_length", max_length=-3)
    with pytest.raises(ValueError, match="lengthy is not a valid PaddingStrategy"):
        tokenizer.pad(ROWS, padding="lengthy")


MASKS = st.lists(st.sampled_from([0, 1]), max_size=11)


@settings(max_examples=50, deadline=None)
@given(st.lists(MASKS, min_size=1, max_size=5), st.sampled_from(["left", "right"]))
def test_padding_keeps_every_entry_and_aligns_with_the_ids(masks, side):
    tokenizer = BOTH[0](*FILES)
    rows = [{"input_ids": [5] * len(m), "global_attention_mask": m} for m in masks]
    padded = tokenizer.pad(rows, padding_side=side)
    for mask, row, ids in zip(
        masks, padded["global_attention_mask"], padded["input_ids"], strict=True
    ):
        assert [value for value in row if value >= 0] == mask
        assert [value == -1 for value in row] == [token_id == 1 for token_id in ids]


def test_pad_global_by_hand():
    assert pad_global([1, 0], 2, 5, "right") == [1, 0, -1, -1, -1]
    assert pad_global([1, 0], 2, 5, "left") == [-1, -1, -1, 1, 0]
    assert pad_global([1, 0, -1], 2, 3, "right") == [1, 0, -1]


def test_pad_to_max_length_is_padding(tokenizer):
    options = {"max_length": 7, "truncation": True}
    expected = tokenizer("a b", padding="max_length", **options)
    assert len(expected.input_ids) == 7
    assert tokenizer("a b", pad_to_max_length=True, **options) == expected
    assert (
        tokenizer.encode("a b", pad_to_max_length=True, **options) == expected.input_ids
    )
    ids = tokenizer("a b", add_special_tokens=False).input_ids
    prepared = tokenizer.prepare_for_model(ids, pad_to_max_length=True, **options)
    assert prepared == expected
    longest = tokenizer(["a b", "a"], pad_to_max_length=True)
    assert longest == tokenizer(["a b", "a"], padding=True)
    assert tokenizer("a", pad_to_max_length=False) == tokenizer("a")


@pytest.mark.parametrize("make", [list, np.array, tf.constant])
def test_masks_of_floats_and_bools_become_integers(tokenizer, make):
    rows = [
        {
            "input_ids": make([0, 5, 2]),
            "attention_mask": make([1.0, 1.0, 1.0]),
            "global_attention_mask": make([True, False, False]),
        },
        {
            "input_ids": make([0, 2]),
            "attention_mask": make([1.0, 1.0]),
            "global_attention_mask": make([True, False]),
        },
    ]
    padded = tokenizer.pad(rows, return_tensors="np")
    assert padded["attention_mask"].dtype.kind == "i"
    assert padded["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert padded["global_attention_mask"].tolist() == [[1, 0, 0], [1, 0, -1]]


def test_a_mask_of_fractions_raises(tokenizer):
    with pytest.raises(ValueError, match="`attention_mask` .* 0.5"):
        tokenizer.pad({"input_ids": [0, 2], "attention_mask": [1.0, 0.5]})
