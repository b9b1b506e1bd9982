"""What every layer must do, checked in one call; its weights as PyTorch has them."""

import keras
import numpy as np
import tensorflow as tf

from tf_led.models.pretrained.weight_table import weight_table
from tf_led.testing.dense_reference import Weights

BATCH, LENGTH = 2, 7
TOLERANCES = {"mixed_bfloat16": 0.1, "mixed_float16": 0.01}


class Wrapper(keras.Model):
    """A user's own model around a layer: `run` calls it with hidden states alone."""

    def __init__(self, layer, run):
        super().__init__()
        self.layer, self.run = layer, run

    def call(self, hidden):
        return self.run(self.layer, hidden)


def check_layer(cls, kwargs, run, *, num_weights, unmoved=()):
    """Calls a layer every way: eager, symbolic, in `fit`, reloaded, in half precision.

    Args:
        cls: the layer's class.
        kwargs: of its constructor; `dim` is D.
        run: function of (layer, hidden float[B, S, D]) that returns new hidden states.
        num_weights: int, how many variables it has.
        unmoved: names of sublayers that `run` leaves out, so that they do not learn.
    """
    layer = cls(**kwargs)
    layer.build()
    spread(layer)
    assert len(layer.weights) == num_weights
    hidden = draw_hidden(kwargs["dim"])
    result = run(layer, hidden)
    assert result.shape == hidden.shape and result.dtype == tf.float32
    symbolic = Wrapper(layer, run)(keras.Input([None, kwargs["dim"]]))
    assert len(symbolic.shape) == 3 and symbolic.shape[2] == kwargs["dim"]
    _check_config(layer, run, hidden, result)
    for policy in TOLERANCES:
        _check_half_precision(cls, kwargs, run, policy, hidden, result)
    _check_fit(layer, run, hidden, unmoved)


def _check_config(layer, run, hidden, result):
    again = type(layer).from_config(layer.get_config())
    again.build()
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(run(again, hidden), result)


def _check_half_precision(cls, kwargs, run, policy, hidden, result):
    half = cls(**kwargs, dtype=policy)
    half.build()
    spread(half)
    assert {variable.dtype for variable in half.weights} == {"float32"}
    dtype = policy.removeprefix("mixed_")
    mine = run(half, tf.cast(hidden, dtype))
    assert mine.dtype == dtype
    error = np.abs(tf.cast(mine, tf.float32) - result).max()
    assert 0 < error <= TOLERANCES[policy] * np.abs(result).max()


def _check_fit(layer, run, hidden, unmoved):
    before = {path: np.array(v) for path, v in weight_table(layer).items()}
    model = Wrapper(layer, run)
    # A trace takes seconds, and `fit` of the whole models has one.
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    history = model.fit(hidden, tf.ones_like(hidden), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert len(model.trainable_variables) == len(layer.weights) == len(before)
    for path, variable in weight_table(layer).items():
        # The bias of keys moves nothing: softmax does not see it.
        stays = any(f"{name}/" in f"/{path}" for name in (*unmoved, "key/bias"))
        is_key_bias = path.endswith(("key/bias", "k_proj/bias", "key_global/bias"))
        moved = np.abs(before[path] - variable).max() > 1e-6
        assert moved or stays or is_key_bias, path
        assert not (moved and stays), path


def draw_hidden(dim, length=LENGTH, seed=0):
    rng = np.random.default_rng(seed)
    return tf.constant(rng.standard_normal([BATCH, length, dim]), tf.float32)


def spread(layer, seed=0):
    """Weights with which attention is peaked and no bias is 0."""
    rng = np.random.default_rng(seed)
    for path, variable in sorted(weight_table(layer).items()):
        noise = rng.standard_normal(variable.shape)
        if path.endswith("gamma"):
            noise = 1 + 0.3 * noise
        elif path.endswith("kernel"):
            noise *= 2 / variable.shape[0] ** 0.5
        else:
            noise *= 0.3
        variable.assign(noise)


NAMES = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}


def weights_of(layer):
    """A layer's weights by PyTorch's names, for the dense NumPy parts."""
    arrays = {}
    for path, variable in weight_table(layer).items():
        *where, kind = path.split("/")
        array = np.asarray(variable, "float64")
        array = array.T if kind == "kernel" else array
        arrays[".".join([*where, NAMES[kind]])] = array
    return Weights(arrays)
