import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led.models.refuse import input_error, only_after, refuse_where

IDS = tf.constant([[3, 31], [-5, 37]])


def refuse(ids):
    return refuse_where(ids > 29, ids, "`ids` holds", "; allowed are up to 29.")


def test_eagerly_the_largest_wrong_entry_is_named():
    with pytest.raises(ValueError, match="^`ids` holds 37; allowed are up to 29.$"):
        refuse(IDS)


def test_what_is_right_comes_back():
    ids = tf.constant([3, -5])
    assert refuse(ids) is ids
    np.testing.assert_array_equal(tf.function(refuse)(ids), ids)


def test_in_a_graph_it_is_named_too():
    call = tf.function(refuse, input_signature=[tf.TensorSpec(None, tf.int32)])
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"\[`ids` holds\] \[37\] \[; allowed are up to 29.\]",
    ):
        call(IDS)


def test_the_check_comes_before_what_uses_the_tensor():
    """Else the user may get the error of what went wrong later."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def look_up(ids):
        return tf.gather(tf.range(30), refuse(ids))

    for _ in range(7):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`ids` holds"):
            look_up([3, 31])


def test_only_after():
    tensor = tf.constant([3])
    np.testing.assert_array_equal(only_after(tf.constant(True), ["no"], tensor), tensor)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no"):
        only_after(tf.constant(False), ["no"], tensor)


def test_keras_adds_no_page_of_arguments():
    class Layer(keras.layers.Layer):
        def call(self, ids):
            return refuse(ids)

    with pytest.raises(ValueError) as caught:
        Layer()(IDS)
    assert str(caught.value) == "`ids` holds 37; allowed are up to 29."


def test_autograph_keeps_it_a_value_error():
    def refuse_at_once(ids):
        if ids.shape.rank != 2:
            raise input_error(f"`ids` has shape {ids.shape}.")
        return ids

    with pytest.raises(ValueError, match=r"`ids` has shape \(3,\)."):
        tf.function(refuse_at_once)(tf.constant([3, 5, 7]))
