import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.models.led.modeling_led import shift_tokens_right as theirs

from tf_led.ops.shift import shift_tokens_right

LABELS = np.array([[5, 7, -100, 2], [3, -100, -100, -100]])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_equals_pytorch(dtype):
    mine = shift_tokens_right(LABELS.astype(dtype), 1, 2)
    np.testing.assert_array_equal(mine, theirs(torch.tensor(LABELS), 1, 2))
    assert mine.dtype == dtype


def test_one_token_gives_the_start():
    assert shift_tokens_right([[7], [9]], 1, 2).numpy().tolist() == [[2], [2]]


def test_keeps_what_is_static():
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.int32)])
    def shift(labels):
        shifted = shift_tokens_right(labels, 1, 2)
        assert shifted.shape.as_list() == [None, 4]
        return shifted

    assert shift(LABELS.astype("int32")).shape == [2, 4]


@pytest.mark.parametrize(
    ("ids", "name"),
    [((None, 2), "pad_token_id"), ((1, None), "decoder_start_token_id")],
)
def test_a_missing_id_is_named(ids, name):
    with pytest.raises(ValueError, match=f"`{name}` is None"):
        shift_tokens_right(LABELS, *ids)
