import numpy as np
import pytest
import tensorflow as tf
import torch

from tf_led.ops.layer_norm import few_kernels_norm

ROWS, DIM = 5, 13


def draw(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("rows", [ROWS, 1, 0])
def test_equals_pytorch(rows):
    values = 3 * draw(rows, DIM) + 7
    gamma, beta = draw(DIM), 2 * draw(DIM)
    expected = torch.nn.functional.layer_norm(
        *map(torch.tensor, (values,)), (DIM,), torch.tensor(gamma), torch.tensor(beta)
    )
    found = few_kernels_norm(tf.constant(values), gamma, beta, 1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_rounded_once(dtype):
    values = tf.cast(draw(ROWS, DIM), dtype)
    gamma, beta = draw(DIM), draw(DIM)
    exact = few_kernels_norm(tf.cast(values, tf.float32), gamma, beta, 1e-5)
    found = few_kernels_norm(values, gamma, beta, 1e-5)
    assert found.dtype == dtype
    np.testing.assert_array_equal(
        tf.cast(found, tf.float32), tf.cast(tf.cast(exact, dtype), tf.float32)
    )
