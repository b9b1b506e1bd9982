import tensorflow as tf

from tf_led.ops.xla import in_xla


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
