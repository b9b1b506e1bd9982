import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers import (
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from tf_led.training.accumulation import build_optimizer
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


@pytest.mark.parametrize(
    "options",
    [
        {"global_clipnorm": 0.7},
        {"clipnorm": 0.3, "gradient_accumulation_steps": 2},
        {"amsgrad": True, "clipvalue": 0.1},
        {"use_ema": True, "weight_decay": 0.0},
    ],
)
def test_it_is_keras_adamw_otherwise(layers, options):
    """Over steps, in a graph; what Keras computes per variable is one op here."""
    rate = WarmUp(1e-3, 17, 3)
    options = {"weight_decay": 0.1, "epsilon": 1e-8, **options}
    other = keras.models.clone_model(layers)
    kernels = [m.layers[0].kernel for m in (layers, other)]  # these decay in both
    for kernel in kernels:
        kernel.assign(tf.ones_like(kernel) / 8)
    optimizers = [AdamW(rate, **options), keras.optimizers.AdamW(rate, **options)]
    for optimizer, kernel in zip(optimizers, kernels, strict=True):
        build_optimizer(optimizer, [kernel])

    @tf.function
    def both(gradient):
        for optimizer, kernel in zip(optimizers, kernels, strict=True):
            optimizer.apply_gradients([(gradient, kernel)])

    for seed in range(13):
        both(tf.random.stateless_normal([3, 5], [seed, 7]))
    mine, theirs = (optimizer.variables for optimizer in optimizers)
    assert np.abs(kernels[0] - 1 / 8).max() > 1e-3
    np.testing.assert_allclose(*kernels, rtol=0, atol=1e-7)
    for one, two in zip(mine, theirs, strict=True):
        assert one.name == two.name
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-12)


def test_an_update_takes_few_operations(layers):
    kernel = layers.layers[0].kernel
    optimizer = AdamW(0.5)
    build_optimizer(optimizer, [kernel])

    @tf.function(autograph=False)
    def update(gradient):
        optimizer.apply_gradients([(gradient, kernel)])

    graph = update.get_concrete_function(tf.TensorSpec([3, 5])).graph
    types = [op.type for op in graph.get_operations()]
    assert types.count("ResourceApplyAdam") == types.count("AssignSubVariableOp") == 1
    assert types.count("Sqrt") == 0


def test_slices_of_a_table_are_updated_as_by_keras(layers):
    kernel = layers.layers[0].kernel
    slices = tf.IndexedSlices(tf.ones([1, 5]), tf.constant([1]), [3, 5])
    before = np.array(kernel)
    AdamW(0.5, weight_decay=0.0).apply_gradients([(slices, kernel)])
    assert (np.abs(kernel - before).max(axis=1) > 0).tolist() == [False, True, False]


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
