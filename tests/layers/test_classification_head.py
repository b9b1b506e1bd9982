import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.layers.layer_checks import TOLERANCES, spread
from tf_led.layers.classification_head import ClassificationHead

SIZES = {"dim": 7, "num_labels": 3, "dropout_rate": 0.5, "init_std": 0.02}
STATES = np.random.default_rng(0).standard_normal([5, 7]).astype("float32")


def make_head(**options):
    head = ClassificationHead(**SIZES, **options)
    head.build()
    return head


@pytest.fixture(scope="module")
def head():
    head = make_head()
    spread(head)
    return head


def test_scores_are_pytorchs(head):
    """Dense, tanh, dense; outside training nothing is dropped."""

    def linear(states, layer):
        weights = (np.array(layer.kernel).T, np.array(layer.bias))
        return torch.nn.functional.linear(states, *map(torch.tensor, weights))

    inner = torch.tanh(linear(torch.tensor(STATES), head.dense))
    expected = linear(inner, head.out_proj)
    np.testing.assert_allclose(head(STATES), expected, atol=1e-6)


def test_dropout_acts_before_both_layers():
    head = make_head()
    head.dense.kernel.assign(np.eye(7))
    head.out_proj.kernel.assign(np.eye(7)[:, :3])
    dropped = np.stack([head(10 * np.ones([1, 7]), training=True) for _ in range(101)])
    # What is left of each 1 is doubled: tanh(20) * 2. Both times a half is dropped.
    assert set(np.round(np.unique(dropped), 3)) == {0.0, 2.0}
    assert 0.15 < np.mean(dropped > 0) < 0.35


def test_weights_start_as_pytorchs():
    head = ClassificationHead(211, 103, dropout_rate=0.0, init_std=0.02)
    head.build()
    for layer in (head.dense, head.out_proj):
        assert abs(np.std(layer.kernel) - 0.02) < 1e-3 and not np.any(layer.bias)


def test_config_comes_back(head):
    again = ClassificationHead.from_config(head.get_config())
    again.build()
    again.set_weights(head.get_weights())
    np.testing.assert_array_equal(again(STATES), head(STATES))
    assert again.dropout.rate == 0.5 and again.init_std == 0.02


@pytest.mark.parametrize("policy", TOLERANCES)
def test_half_precision(head, policy):
    half = make_head(dtype=policy)
    spread(half)
    scores = half(STATES)
    assert scores.dtype == policy.removeprefix("mixed_")
    error = np.abs(tf.cast(scores, "float32") - head(STATES)).max()
    assert 0 < error <= TOLERANCES[policy] * np.abs(head(STATES)).max()
    assert {variable.dtype for variable in half.trainable_weights} == {"float32"}


def test_it_is_symbolic(head):
    assert head(keras.Input([7])).shape == (None, 3)
