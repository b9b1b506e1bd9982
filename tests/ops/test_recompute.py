import numpy as np
import pytest
import tensorflow as tf

from tests.ops.dense import assert_close, draw, gradients
from tests.ops.graph_memory import kept_per_turn
from tf_led.ops.recompute import recomputed_steps
from tf_led.ops.tensor_utils import write_rows

STEPS, B, D = 5, 3, 7


def run_steps(rows, shared, num_steps=STEPS):
    """sin(row * shared) and the row's sum, for every row."""
    return recomputed_steps(
        lambda step, row, shared: [tf.sin(row * shared), tf.reduce_sum(row, axis=1)],
        [rows, shared],
        num_steps=num_steps,
        take=lambda step, rows, shared: [rows[step], shared],
        add_gradients=lambda step, sums, grads: [
            write_rows(sums[0], tf.cast(grads[0], tf.float32)[None], step),
            sums[1] + tf.cast(grads[1], tf.float32),
        ],
        dtypes=[rows.dtype, rows.dtype],
    )


def plain(rows, shared):
    return [tf.sin(rows * shared), tf.reduce_sum(rows, axis=2)]


def make():
    rng = np.random.default_rng(0)
    return [draw(rng, STEPS, B, D), draw(rng, B, D)], [
        draw(rng, STEPS, B, D),
        draw(rng, STEPS, B),
    ]


@pytest.mark.parametrize("run", ["eager", "graph", "xla"])
def test_results_and_gradients_are_those_of_all_rows_at_once(run):
    tensors, upstream = make()

    def call(*tensors):
        return gradients(run_steps, list(tensors), upstream)

    if run != "eager":
        call = tf.function(call, jit_compile=run == "xla", autograph=False)
    results, grads = call(*tensors)
    expected, expected_grads = gradients(plain, tensors, upstream)
    for mine, other in zip(
        [*results, *grads], [*expected, *expected_grads], strict=True
    ):
        assert_close(mine, other)


def test_the_number_of_steps_may_be_data():
    tensors, _ = make()
    call = tf.function(run_steps, autograph=False)
    for mine, other in zip(
        call(*tensors, tf.constant(STEPS)), plain(*tensors), strict=True
    ):
        assert_close(mine, other)


def test_gradients_of_half_precision_are_summed_in_float32():
    """In float16, 2,048 + 1 is 2,048."""
    rows = tf.ones([3, 1, 1], tf.float16)
    upstream = tf.constant([[[2048.0]], [[1.0]], [[1.0]]], tf.float16)
    shared = tf.zeros([1, 1], tf.float16)
    _, (_, grad) = gradients(lambda *t: run_steps(*t, 3)[0], [rows, shared], upstream)
    assert grad.dtype == tf.float16 and grad.numpy() == 2050


def test_nothing_of_a_step_is_kept():
    @tf.function(autograph=False)
    def run(*tensors):
        return gradients(lambda *t: run_steps(*t)[0], list(tensors), None)[1]

    specs = [tf.TensorSpec(tensor.shape) for tensor in make()[0]]
    assert kept_per_turn(run.get_concrete_function(*specs).graph) == 0
