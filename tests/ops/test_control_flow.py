"""Eager, graph or XLA."""

import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tf_led.ops.control_flow import (
    choose_branch,
    in_xla,
    is_under_xla,
    pass_on,
    wait_for,
)


def traced(jit_compile):
    seen = []

    @tf.function(jit_compile=jit_compile)
    def run():
        seen.append(is_under_xla())

        def body(number):
            seen.append(is_under_xla())
            return number + 1

        return tf.while_loop(lambda number: number < 3, body, [0])

    run()
    return seen


def test_eagerly_there_is_no_xla():
    assert is_under_xla() is False


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_jit_compile_is_seen_inside_loops_too(jit_compile):
    assert set(traced(jit_compile)) == {bool(jit_compile)}


def test_a_function_inside_a_compiled_one_is_compiled():
    seen = []

    @tf.function
    def inner():
        seen.append(is_under_xla())
        return tf.constant(3)

    tf.function(inner, jit_compile=True)()
    assert seen == [True]


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


def test_the_tensor_is_as_it_was():
    assert wait_for(tf.constant([7, 11]), tf.constant(0.5)).numpy().tolist() == [7, 11]


def test_a_graph_makes_the_other_first():
    with tf.Graph().as_default():
        tensor, other = tf.constant(7), tf.constant(11)
        waiting = wait_for(tensor, other)
        assert waiting.op.control_inputs == [other.op]
        assert list(waiting.op.inputs) == [tensor]


def test_gradients_go_through():
    with tf.GradientTape() as tape:
        tensor = tf.constant(7.0)
        tape.watch(tensor)
        twice = 2 * wait_for(tensor, tf.constant(11.0))
    assert tape.gradient(twice, tensor).numpy() == 2


def read_by(passing, tensor, num_readers):
    """The gradient of readers, each of which has the tensor from the one before."""
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total, given = 0.0, tensor
        for factor in range(1, num_readers + 1):
            total += tf.sin(factor * given)
            given = passing(given)
    return tape.gradient(total, tensor)


def test_passing_on_changes_no_gradient():
    expected = sum(factor * math.cos(factor * 7) for factor in (1, 2, 3))
    result = read_by(pass_on, tf.constant(7.0), num_readers=3)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_gradients_of_readers_are_added_one_by_one():
    """Two at a time, also after TensorFlow has optimised the graph."""
    run = tf.function(lambda x: read_by(pass_on, x, num_readers=5))
    with context.collect_graphs(optimized=True) as graphs:
        run(tf.ones([7, 11]))
    sums = [node for graph in graphs for node in graph.node if "Add" in node.op]
    assert sums
    assert max(len(node.input) for node in sums) == 2


def told(jit_compile):
    answers = []

    @tf.function(jit_compile=jit_compile)
    def call(number):
        answers.append(in_xla())
        return tf.cond(number > 0, lambda: answers.append(in_xla()) or 1, lambda: 2)

    call(tf.constant(3))
    return answers


def test_eager_execution_and_plain_graphs_are_not():
    assert not in_xla()
    assert told(jit_compile=False) == [False, False]


def test_compiled_graphs_are_down_to_their_branches():
    assert told(jit_compile=True) == [True, True]


def test_a_function_called_from_a_compiled_one_is():
    answers = []

    @tf.function
    def inner(number):
        answers.append(in_xla())
        return number

    tf.function(inner, jit_compile=True)(tf.constant(3))
    assert answers == [True]
