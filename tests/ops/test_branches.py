import pytest
import tensorflow as tf

from tf_led.ops.branches import choose_branch


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
