import pickle

import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers import BatchEncoding
from transformers.utils import TensorType

from tf_led.tokenization.batch_encoding import (
    LEDBatchEncoding,
    as_lists,
    as_tensorflow,
    kind_of_arrays,
    tensor_kind,
)

ROWS = {"input_ids": [[3, 5, 7], [11, 13, 17]], "labels": [[2], [19]]}
LIBRARY = {"tf": tf.is_tensor, "np": lambda a: isinstance(a, np.ndarray)}
LIBRARY["pt"] = torch.is_tensor


@pytest.mark.parametrize("kind", ["tf", "np", "pt", TensorType.NUMPY])
def test_every_field_becomes_a_tensor(kind):
    encoding = LEDBatchEncoding(ROWS, tensor_type=kind)
    for key, rows in ROWS.items():
        assert LIBRARY[tensor_kind(kind)](encoding[key])
        np.testing.assert_array_equal(np.asarray(encoding[key]), rows)


def test_tensorflow_integers_are_int32_like_those_of_transformers_4():
    encoding = LEDBatchEncoding(ROWS, tensor_type="tf")
    assert {value.dtype for value in encoding.values()} == {tf.int32}
    assert as_tensorflow("input_ids", np.array([5])).dtype == tf.int64
    assert as_tensorflow("input_ids", [[], []]).dtype == tf.int32


def test_none_leaves_lists():
    assert LEDBatchEncoding(ROWS).convert_to_tensors(None).data == ROWS


def test_a_batch_axis_goes_first():
    encoding = LEDBatchEncoding({"input_ids": [3, 5]}, None, "tf", True)
    assert encoding["input_ids"].shape == (1, 2)


def test_it_is_a_batch_encoding_that_pickles(tokenizer):
    encoding = tokenizer("a b", return_tensors="np")
    assert isinstance(encoding, BatchEncoding)
    copy = pickle.loads(pickle.dumps(encoding))
    assert copy.tokens() == encoding.tokens()
    np.testing.assert_array_equal(copy.input_ids, encoding["input_ids"])


def test_ragged_rows_raise():
    with pytest.raises(ValueError, match=r"`input_ids`.* lengths \[1, 3\].*padding"):
        LEDBatchEncoding({"input_ids": [[3, 5, 7], [2]]}, tensor_type="tf")
    with pytest.raises(ValueError, match="`note` cannot become a tensor.*'b': 5"):
        LEDBatchEncoding({"note": {"b": 5}}, tensor_type="tf")


@pytest.mark.parametrize("name", ["jax", "TF", 5, True])
def test_an_unknown_kind_raises(tokenizer, name):
    message = rf"`return_tensors` must be None or one of tf, pt, np, mlx, got {name!r}"
    with pytest.raises(ValueError, match=message):
        tokenizer("a b", return_tensors=name)
    with pytest.raises(ValueError, match=message):
        tokenizer.pad({"input_ids": [3]}, return_tensors=name)


def test_tensors_and_arrays_become_lists():
    ragged = tf.ragged.constant([[3], [5, 7]])
    assert as_lists(tf.constant([[3, 5]])) == as_lists(np.array([[3, 5]])) == [[3, 5]]
    assert as_lists(ragged) == [[3], [5, 7]]
    assert as_lists([tf.constant([3]), np.array([5, 7])]) == [[3], [5, 7]]
    assert (
        as_lists([3, 5]) == [3, 5] and as_lists("a") == "a" and as_lists(None) is None
    )


def test_a_tensor_without_a_value_raises(tokenizer):
    decode = tf.function(lambda ids: tokenizer.decode(ids))
    with pytest.raises(TypeError, match="has no value yet: .*outside `tf.function`"):
        decode(tf.constant([5]))


def test_the_kind_of_arrays_is_that_of_the_first():
    assert kind_of_arrays([[tf.constant(3)]]) == kind_of_arrays(tf.constant(3)) == "tf"
    assert kind_of_arrays(tf.ragged.constant([[3], []])) == "tf"
    assert kind_of_arrays([np.array([3])]) == "np"
    assert kind_of_arrays([]) is kind_of_arrays([[3]]) is kind_of_arrays("a") is None
