"""Eager, graph or XLA; branches; the order of what a graph computes."""

import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tests.ops.dense import assert_close, draw, gradients
from tests.ops.graph_memory import kept_per_turn
from tf_led.ops import control_flow
from tf_led.ops.control_flow import (
    chain_gradients,
    choose_branch,
    control_dependency,
    in_xla,
    on_host,
    recomputed_steps,
)
from tf_led.ops.tensor_utils import write_rows


def answers_of_in_xla(jit_compile):
    answers = []

    @tf.function(jit_compile=jit_compile)
    def run(number):
        answers.append(in_xla())

        def body(number):
            answers.append(in_xla())
            return number + 1

        tf.cond(number > 0, lambda: answers.append(in_xla()) or 1, lambda: 2)
        return tf.while_loop(lambda number: number < 3, body, [0])

    run(tf.constant(3))
    return answers


def test_eager_execution_is_not_xla():
    assert in_xla() is False


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_jit_compile_is_seen_inside_loops_and_branches_too(jit_compile):
    assert answers_of_in_xla(jit_compile) == [bool(jit_compile)] * 3


@pytest.mark.parametrize(
    ("jit_compile", "has_gpu", "device"),
    [(False, True, "CPU:0"), (False, False, ""), (True, True, "")],
)
def test_the_host_is_named_beside_a_gpu(jit_compile, has_gpu, device, monkeypatch):
    """But where XLA compiles."""
    monkeypatch.setattr(control_flow, "_has_gpu", lambda: has_gpu)
    devices = []

    @tf.function(jit_compile=jit_compile)
    def run(number):
        with on_host():
            total = number + 1
        devices.append(total.op.device.removeprefix("/device:"))
        return total

    assert run(tf.constant(2)) == 3 and devices == [device]


def test_a_function_inside_a_compiled_one_is_compiled():
    answers = []

    @tf.function
    def inner():
        answers.append(in_xla())
        return tf.constant(3)

    tf.function(inner, jit_compile=True)()
    assert answers == [True]


def double(first, second):
    return 2 * first + 0 * second


def multiply(first, second):
    return first * second


def ignore_second(first, second):
    return first * first


FUNCTIONS = [double, multiply, ignore_second]
# At (3, 5): value, and gradient by either argument.
EXPECTED = [(6.0, 2.0, 0.0), (15.0, 5.0, 3.0), (9.0, 6.0, 0.0)]


def run(branch):
    tensors = [tf.constant(3.0), tf.constant(5.0)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = choose_branch(branch, FUNCTIONS, tensors)
    return value, *tape.gradient(value, tensors)


@pytest.mark.parametrize("branch", range(3))
def test_value_and_gradient_are_those_of_the_branch(branch):
    assert tuple(map(float, run(tf.constant(branch)))) == EXPECTED[branch]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph_the_branch_is_data(jit_compile):
    call = tf.function(run, jit_compile=jit_compile)
    for branch in range(3):
        assert tuple(map(float, call(tf.constant(branch)))) == EXPECTED[branch]
    assert call.experimental_get_tracing_count() == 1


def test_the_tape_may_be_outside_the_graph():
    call = tf.function(
        lambda *tensors: choose_branch(tf.constant(1), FUNCTIONS, tensors)
    )
    tensors = [tf.constant(3.0), tf.constant(5.0)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = call(*tensors)
    assert [float(value), *map(float, tape.gradient(value, tensors))] == [15, 5, 3]


def test_a_python_branch_leaves_the_others_out():
    def fail(*tensors):
        raise AssertionError("not chosen")

    value = choose_branch(0, [double, fail], [tf.constant(3.0), tf.constant(5.0)])
    assert float(value) == 6.0


def test_control_dependency_leaves_the_tensor_as_it_is():
    assert control_dependency(
        tf.constant([7, 11]), tf.constant(0.5)
    ).numpy().tolist() == [7, 11]


def test_a_graph_computes_the_other_first():
    with tf.Graph().as_default():
        tensor, other = tf.constant(7), tf.constant(11)
        waiting = control_dependency(tensor, other)
        assert waiting.op.control_inputs == [other.op]
        assert list(waiting.op.inputs) == [tensor]


def test_gradients_go_through_control_dependency():
    with tf.GradientTape() as tape:
        tensor = tf.constant(7.0)
        tape.watch(tensor)
        twice = 2 * control_dependency(tensor, tf.constant(11.0))
    assert tape.gradient(twice, tensor).numpy() == 2


def gradient_of_readers(handing_on, tensor, num_readers):
    """The gradient of readers, each of which has the tensor from the one before."""
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total, given = 0.0, tensor
        for factor in range(1, num_readers + 1):
            total += tf.sin(factor * given)
            given = handing_on(given)
    return tape.gradient(total, tensor)


def test_chaining_changes_no_gradient():
    expected = sum(factor * math.cos(factor * 7) for factor in (1, 2, 3))
    result = gradient_of_readers(chain_gradients, tf.constant(7.0), num_readers=3)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_gradients_of_readers_are_added_one_by_one():
    """Two at a time, also after TensorFlow has optimised the graph."""
    run = tf.function(lambda x: gradient_of_readers(chain_gradients, x, num_readers=5))
    with context.collect_graphs(optimized=True) as graphs:
        run(tf.ones([7, 11]))
    sums = [node for graph in graphs for node in graph.node if "Add" in node.op]
    assert sums
    assert max(len(node.input) for node in sums) == 2


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
