import tensorflow as tf

from tf_led.ops.order import wait_for


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
