import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.layers.layer_checks import draw_hidden, spread, weights_of
from tests.ops.dense import assert_close
from tf_led.layers.feed_forward import FeedForwardMixin

D, F = 13, 19


class Network(FeedForwardMixin, keras.layers.Layer):
    def __init__(self, **options):
        super().__init__()
        defaults = {
            "activation": "gelu",
            "dropout_rate": 0.0,
            "activation_dropout": 0.0,
        }
        self.add_feed_forward(D, F, init_std=0.02, **(defaults | options))
        self.build_feed_forward()
        self.built = True
        spread(self)


@pytest.mark.parametrize("activation", ["gelu", "silu", "tanh"])
def test_equals_numpy(activation):
    network, hidden = Network(activation=activation), draw_hidden(D)
    expected = weights_of(network).feed_forward(
        np.asarray(hidden, "float64"), activation
    )
    assert_close(network.feed_forward(hidden, None), expected)


def test_add_and_norm():
    network = Network()
    residual, update = draw_hidden(D, seed=1), draw_hidden(D, seed=2)
    norm = network.final_layer_norm
    mine = network.add_and_norm(residual, update, norm, None)
    np.testing.assert_allclose(mine, norm(residual + update))


def test_both_dropouts_draw_from_the_seed_apart():
    """With equal rates and shapes, equal seeds would drop the same places twice."""
    seed = tf.constant([3, 5])
    outputs = [
        Network(**rates).feed_forward(draw_hidden(D), seed).numpy()
        for rates in (
            {},
            {"dropout_rate": 0.4},
            {"activation_dropout": 0.4},
            {"dropout_rate": 0.4, "activation_dropout": 0.4},
        )
    ]
    for i, one in enumerate(outputs):
        for other in outputs[:i]:
            assert np.abs(one - other).max() > 0.1
