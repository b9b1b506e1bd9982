"""Eager, graph or XLA."""

import pytest
import tensorflow as tf

from tf_led.generation.graph_mode import is_under_xla


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
