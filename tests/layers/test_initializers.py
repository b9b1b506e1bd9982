"""Weights drawn, weights left blank, and blank ones drawn later."""

import threading

import keras
import numpy as np
import pytest

from tf_led.layers.initializers import (
    Normal,
    Zeros,
    blank_weights,
    draw_weights,
    is_blank,
)

SHAPE = (103, 211)


def dense():
    layer = keras.layers.Dense(
        211, kernel_initializer=Normal(0.5, seed=3), bias_initializer="ones"
    )
    layer.build((None, 103))
    return layer


def test_values_are_keras_own():
    theirs = keras.initializers.RandomNormal(stddev=0.5, seed=3)(SHAPE)
    np.testing.assert_array_equal(Normal(0.5, seed=3)(SHAPE), theirs)
    assert np.std(theirs) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", None])
def test_blank_weights_are_zeros_of_the_same_kind(dtype):
    drawn = Normal()(SHAPE, dtype)
    with blank_weights():
        blank = Normal()(SHAPE, dtype)
    assert (blank.dtype, blank.shape) == (drawn.dtype, drawn.shape)
    assert np.any(drawn) and not np.any(blank)


def test_zeros_are_blank_too():
    with blank_weights():
        blank = Zeros()(SHAPE, "float16")
    assert blank.dtype == "float16" and blank.shape == SHAPE and not np.any(blank)
    assert not np.any(Zeros()(SHAPE))


def test_only_what_is_inside_is_blank():
    seen = []
    with blank_weights():
        with blank_weights():
            pass
        other = threading.Thread(target=lambda: seen.append(is_blank()))
        other.start()
        other.join()
        assert is_blank() and seen == [False]
    assert not is_blank()
    with pytest.raises(KeyError), blank_weights():
        raise KeyError
    assert not is_blank()


def test_a_config_makes_the_same_again():
    initializer = Normal(0.5, seed=3)
    assert initializer.get_config() == {"stddev": 0.5, "seed": 3}
    config = keras.initializers.serialize(initializer)
    again = keras.initializers.deserialize(config)
    assert isinstance(again, Normal)
    np.testing.assert_array_equal(again(SHAPE), initializer(SHAPE))


def test_blank_weights_are_drawn_as_they_would_have_been():
    with blank_weights():
        blank = dense()
    assert not np.any(blank.kernel) and np.all(blank.bias == 1)
    blank.bias.assign(blank.bias * 7)
    draw_weights(blank, [blank.kernel, blank.bias])
    np.testing.assert_array_equal(blank.kernel, dense().kernel)
    assert np.all(blank.bias == 7)  # no `Normal` made it


def test_weights_that_are_not_named_stay():
    layer = dense()
    layer.kernel.assign(layer.kernel * 0 + 5)
    draw_weights(layer, [layer.bias])
    assert np.all(layer.kernel == 5)
