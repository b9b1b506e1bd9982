import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers import (
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from tf_led.training.schedules import AdamW, WarmUp


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


@pytest.mark.parametrize(
    ("decay", "theirs"),
    [
        ("linear", get_linear_schedule_with_warmup),
        ("cosine", get_cosine_schedule_with_warmup),
    ],
)
@pytest.mark.parametrize("warmup", [0, 3])
def test_learning_rates_are_those_of_transformers(decay, theirs, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.7)
    scheduler = theirs(optimizer, warmup, 11)
    expected = []
    for _ in range(12):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    schedule = WarmUp(0.7, 11, warmup, decay=decay)
    np.testing.assert_allclose([schedule(i) for i in range(12)], expected, atol=1e-7)


def test_it_stays_at_the_lowest():
    schedule = WarmUp(0.5, 7, 2, decay="cosine", lowest=0.2)
    np.testing.assert_allclose(
        [schedule(2), schedule(7), schedule(23)], [0.5, 0.1, 0.1]
    )


def test_a_constant_rate_after_the_warm_up():
    schedule = WarmUp(0.5, 7, 2, decay="constant")
    np.testing.assert_allclose([schedule(i) for i in (0, 1, 2, 9)], [0, 0.25, 0.5, 0.5])


def test_it_is_saved_with_its_optimizer():
    schedule = WarmUp(0.5, 7, 2, decay="cosine", lowest=0.2)
    optimizer = keras.optimizers.SGD(schedule)
    config = keras.optimizers.serialize(optimizer)
    again = keras.optimizers.deserialize(config)._learning_rate
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak": 0.0}, "`peak` must be above 0, got 0.0"),
        ({"total_steps": 0}, "`total_steps` must be at least 1, got 0"),
        ({"warmup_steps": 13}, "`warmup_steps` must be from 0 to 11, got 13"),
        ({"decay": "steep"}, "`decay` must be one of linear, .*, got 'steep'"),
        ({"lowest": 1.5}, "`lowest` must be from 0 to 1, got 1.5"),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmUp(**{"peak": 0.1, "total_steps": 11, **arguments})
