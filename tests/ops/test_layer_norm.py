import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.ops.graph_memory import kept_for_gradient
from tf_led.ops.dropout import dropout
from tf_led.ops.layer_norm import few_kernels_norm, residual_norm

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


RATE, EPSILON = 0.3, 1e-5


def plain_norm(residual, update, gamma, beta, *, seed):
    """By automatic differentiation."""
    total = residual + dropout(update, RATE, seed)
    wide = tf.cast(total, tf.float32)
    mean, variance = tf.nn.moments(wide, -1, keepdims=True)
    normed = (wide - mean) * tf.math.rsqrt(variance + EPSILON) * gamma + beta
    return tf.cast(normed, residual.dtype)


def lean_norm(*given, seed):
    return residual_norm(*given, epsilon=EPSILON, dropout_rate=RATE, seed=seed)


def results_of(norm, given, upstream, jit_compile=False):
    """What a norm returns, and its four gradients."""
    seed = tf.constant([3, 5])

    @tf.function(jit_compile=jit_compile)
    def run(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            result = norm(*given, seed=seed)
        return result, *tape.gradient(result, given, output_gradients=upstream)

    return run(*given)


def drawn(dtype):
    """Residual and update [2, ROWS, DIM], gamma, beta, and what comes from above."""
    values = np.random.default_rng(1).standard_normal([3, 2, ROWS, DIM])
    residual, update, upstream = (tf.cast(value, dtype) for value in values)
    return [3 * residual + 7, update, draw(DIM), draw(DIM)], upstream


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_residual_and_its_norm_as_by_automatic_differentiation(dtype, jit_compile):
    given, upstream = drawn(dtype)
    given = [tf.convert_to_tensor(x) for x in given]
    found = results_of(lean_norm, given, upstream, jit_compile)
    expected = results_of(plain_norm, given, upstream, jit_compile)
    error = {"float32": 1e-5, "bfloat16": 3e-2, "float16": 4e-3}[dtype]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        ours, theirs = (tf.cast(x, tf.float32) for x in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=error, atol=5 * error)


def test_gradients_of_a_residual_and_its_norm_equal_pytorchs():
    (residual, update, gamma, beta), upstream = drawn("float32")
    given = [tf.convert_to_tensor(x) for x in (residual, update, gamma, beta)]
    theirs = [torch.tensor(x.numpy(), requires_grad=True) for x in given]
    total = theirs[0] + theirs[1]
    normed = torch.nn.functional.layer_norm(total, (DIM,), *theirs[2:])
    normed.backward(torch.tensor(upstream.numpy()))
    with tf.GradientTape() as tape:
        tape.watch(given)
        result = residual_norm(
            *given, epsilon=EPSILON, dropout_rate=0.0, seed=tf.constant([3, 5])
        )
    np.testing.assert_allclose(result, normed.detach(), atol=2e-5)
    found = tape.gradient(result, given, output_gradients=upstream)
    for ours, expected in zip(found, theirs, strict=True):
        np.testing.assert_allclose(ours, expected.grad, atol=2e-5)


def test_the_gradient_of_a_residual_and_its_norm_keeps_what_it_was_given():
    norm = tf.function(lambda *given: lean_norm(*given, seed=tf.constant([3, 5])))

    @tf.function
    def gradients(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            result = norm(*given)
        return tape.gradient(result, given)

    rows, row = tf.TensorSpec([2, None, DIM]), tf.TensorSpec([DIM])
    graph = gradients.get_concrete_function(rows, rows, row, row).graph
    kept = [x for x in kept_for_gradient(graph) if x.shape.rank == 3]
    assert [x.op.type for x in kept] == 2 * ["Placeholder"]
