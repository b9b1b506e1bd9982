import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led.training.optimizer import AdamW


@pytest.fixture
def layers():
    """A dense layer and a norm, every weight 2."""
    model = keras.Sequential(
        [keras.Input([3]), keras.layers.Dense(5), keras.layers.LayerNormalization()]
    )
    for variable in model.variables:
        variable.assign(2 * tf.ones_like(variable))
    return model


def step(optimizer, variables, gradient=0.0):
    gradients = [tf.fill(v.shape, gradient) for v in variables]
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return {v.path.split("/")[-1]: float(np.mean(v)) for v in variables}


@pytest.mark.parametrize("saved", [False, True])
def test_biases_and_norms_do_not_decay(layers, saved):
    optimizer = AdamW(0.5, weight_decay=0.1)
    if saved:  # Keras forgets what `exclude_from_weight_decay` was told
        config = keras.optimizers.serialize(optimizer)
        optimizer = keras.optimizers.deserialize(config)
    after = step(optimizer, layers.trainable_variables)
    assert after == {"kernel": pytest.approx(1.9), "bias": 2, "gamma": 2, "beta": 2}


def test_it_is_adamw_otherwise(layers):
    """Decay in the right proportion to the learning rate, and clipping."""
    mine = AdamW(0.5, weight_decay=0.1, epsilon=0.3, global_clipnorm=0.7)
    theirs = keras.optimizers.AdamW(
        0.5, weight_decay=0.1, epsilon=0.3, global_clipnorm=0.7
    )
    other = keras.models.clone_model(layers)
    other.set_weights(layers.get_weights())
    kernels = [m.layers[0].kernel for m in (layers, other)]
    one, two = step(mine, kernels[:1], 3.0), step(theirs, kernels[1:], 3.0)
    assert one["kernel"] < 1.895  # decay alone leaves 1.9
    assert one == two
