import math

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from tf_led.ops.order import pass_on, wait_for


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
