import numpy as np
import pytest

from tests.tokenization.make_golden import DATA
from tf_led import LEDTokenizerFast
from tf_led.data.collate import PaddingCollator

PAD = 1
EXAMPLES = [
    {
        "input_ids": [0, 5, 7, 9, 2],
        "global_attention_mask": [1, 0, 0, 1, 0],
        "decoder_input_ids": [2, 5],
        "labels": [5, 2],
    },
    {
        "input_ids": [0, 8, 2],
        "global_attention_mask": None,
        "decoder_input_ids": [2, 11, 13],
        "labels": [11, 13, 2],
    },
]
RIGHT = {
    "input_ids": [[0, 5, 7, 9, 2], [0, 8, 2, PAD, PAD]],
    "attention_mask": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    "global_attention_mask": [[1, 0, 0, 1, 0], [0, 0, 0, -1, -1]],
    "decoder_input_ids": [[2, 5, PAD], [2, 11, 13]],
    "labels": [[5, 2, -100], [11, 13, 2]],
}
LEFT = {
    **RIGHT,
    "input_ids": [[0, 5, 7, 9, 2], [PAD, PAD, 0, 8, 2]],
    "attention_mask": [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]],
    "global_attention_mask": [[1, 0, 0, 1, 0], [-1, -1, 0, 0, 0]],
}


def as_lists(batch):
    return {name: array.tolist() for name, array in batch.items()}


@pytest.mark.parametrize(("side", "drawing"), [("right", RIGHT), ("left", LEFT)])
def test_a_batch_is_as_drawn(side, drawing):
    batch = PaddingCollator(PAD, side)(EXAMPLES)
    assert as_lists(batch) == drawing
    assert {array.dtype for array in batch.values()} == {np.dtype("int64")}


@pytest.mark.parametrize("side", ["right", "left"])
def test_documents_are_padded_as_the_tokenizer_pads_them(side):
    tokenizer = LEDTokenizerFast(
        DATA / "vocab.json", DATA / "merges.txt", padding_side=side
    )
    rng = np.random.default_rng(0)
    examples = []
    for length in (3, 11, 2, 7):
        encoded = {"input_ids": rng.integers(3, 500, length).tolist()}
        encoded["attention_mask"] = rng.integers(0, 2, length).tolist()
        encoded["global_attention_mask"] = rng.integers(0, 2, length).tolist()
        examples.append(encoded)
    ours = PaddingCollator(tokenizer.pad_token_id, side)(examples)
    assert as_lists(ours) == as_lists(tokenizer.pad(examples, return_tensors="np"))


def test_a_mask_that_is_there_is_kept():
    examples = [{"input_ids": [0, 1, 2], "attention_mask": [True, False, True]}]
    assert PaddingCollator(PAD)(examples)["attention_mask"].tolist() == [[1, 0, 1]]


def test_embeddings_get_rows_of_zeros_and_a_mask():
    ones = [np.ones([length, 3], "float32") for length in (1, 2)]
    batch = PaddingCollator(PAD)([{"inputs_embeds": values} for values in ones])
    assert batch["inputs_embeds"].tolist() == [[[1] * 3, [0] * 3], [[1] * 3, [1] * 3]]
    assert batch["attention_mask"].tolist() == [[1, 0], [1, 1]]


def test_numbers_are_stacked_as_they_are():
    batch = PaddingCollator(PAD)([{"labels": 7}, {"labels": 3}])
    assert as_lists(batch) == {"labels": [7, 3]}


def test_an_empty_row_takes_the_dtype_of_the_others():
    batch = PaddingCollator(PAD)([{"labels": []}, {"labels": [3]}])
    assert as_lists(batch) == {"labels": [[-100], [3]]}
    assert batch["labels"].dtype == "int64"


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([{"labels": "a cat"}], "`labels` of an example is 'a cat'"),
        ([{"labels": ["a", "cat"]}], r"`labels` of an example is \"\['a', 'cat'\]\""),
        ([{"labels": None}], "`labels` of an example is 'None'"),
        ([{"labels": float("nan")}], "`labels` of an example is 'nan'"),
        (
            [{"labels": [[1, 2], [3]]}],
            r"`labels` of an example is '\[\[1, 2\], \[3\]\]'",
        ),
        ([{"labels": [3]}, {"labels": 5}], r"shapes \(\), \(1,\)"),
        (
            [{"inputs_embeds": np.ones([2, 3])}, {"inputs_embeds": np.ones([2, 5])}],
            r"`inputs_embeds` has examples of shapes \(2, 3\), \(2, 5\)",
        ),
        (
            [{"input_ids": [0, 5, 2], "attention_mask": [1, 1]}],
            "3 entries in `input_ids` but 2 in `attention_mask`",
        ),
        (
            [{"decoder_input_ids": [2, 5], "labels": [5, 7, 2]}],
            "2 entries in `decoder_input_ids` but 3 in `labels`",
        ),
    ],
)
def test_what_cannot_be_a_batch_raises(examples, message):
    with pytest.raises(ValueError, match=message):
        PaddingCollator(PAD)(examples)


def test_padding_needs_a_token():
    with pytest.raises(ValueError, match="`input_ids` cannot be padded.*None"):
        PaddingCollator(None)([{"input_ids": [0, 5, 2]}])
