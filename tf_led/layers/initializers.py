"""Initial weights, and how to do without them where a checkpoint will overwrite them.

Drawing the 460 million random numbers of LED-large takes longer than reading its file.
"""

import contextlib
import contextvars

import keras
import numpy as np
import tensorflow as tf

from tf_led.utils.host_memory import fresh_array, share_array

_IS_BLANK = contextvars.ContextVar("tf_led_blank_weights", default=False)


@keras.saving.register_keras_serializable(package="tf_led")
class Normal(keras.initializers.RandomNormal):
    """Normal values around 0; zeros that cost nothing inside of `blank_weights`.

    Args:
        stddev: float.
        seed: as for keras' RandomNormal.
    """

    def __init__(self, stddev=0.02, seed=None):
        super().__init__(stddev=stddev, seed=seed)

    def __call__(self, shape, dtype=None):
        return _blank(shape, dtype) if is_blank() else super().__call__(shape, dtype)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in ("stddev", "seed")}


@keras.saving.register_keras_serializable(package="tf_led")
class Zeros(keras.initializers.Zeros):
    """Zeros; inside of `blank_weights` they cost nothing, however many there are."""

    def __call__(self, shape, dtype=None):
        return _blank(shape, dtype) if is_blank() else super().__call__(shape, dtype)


def _blank(shape, dtype):
    dtype = tf.as_dtype(dtype or keras.config.floatx()).as_numpy_dtype
    return share_array(fresh_array(tuple(shape), np.dtype(dtype)))


def is_blank():
    """Whether weights are made without values now: inside of `blank_weights`."""
    return _IS_BLANK.get()


@contextlib.contextmanager
def blank_weights():
    """Within it, `Normal` draws nothing: for models whose weights come from a file."""
    token = _IS_BLANK.set(True)
    try:
        yield
    finally:
        _IS_BLANK.reset(token)


def draw_weights(layer, variables):
    """Draws, for weights that were made blank, what they would have been made as.

    Args:
        layer: built layer or model.
        variables: list of its keras.Variable; those that no `Normal` made keep their
            values.
    """
    wanted = {id(variable) for variable in variables}
    for part in layer._flatten_layers():
        for variable in part._trainable_variables + part._non_trainable_variables:
            initializer = getattr(part, f"{variable.name}_initializer", None)
            if id(variable) in wanted and isinstance(initializer, Normal):
                variable.assign(initializer(variable.shape, variable.dtype))
