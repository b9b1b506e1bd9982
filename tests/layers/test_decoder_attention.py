import numpy as np
import pytest
import tensorflow as tf

from tests.layers.layer_checks import check_layer, draw_hidden, spread, weights_of
from tests.ops.dense import assert_close
from tf_led.layers.decoder_attention import DecoderAttention

D, N = 15, 5
HEAD_MASK = np.array([0.0, 1.0, 0.5, 2.0, 1.0])
MASK = np.random.default_rng(0).random([2, 7, 11]) < 0.7


@pytest.fixture(scope="module")
def layer():
    layer = DecoderAttention(D, N)
    layer.build()
    spread(layer)
    return layer


@pytest.mark.parametrize("head_mask", [np.ones(N), HEAD_MASK])
def test_equals_the_reference(layer, head_mask):
    hidden, memory = draw_hidden(D), draw_hidden(D, length=11, seed=3)
    mine, probs = layer(
        hidden,
        layer.project(memory),
        tf.constant(MASK[:, None]),
        None if head_mask.all() else tf.constant(head_mask, tf.float32),
    )
    expected, expected_probs = weights_of(layer).attend(
        np.asarray(hidden, "float64"), np.asarray(memory), MASK, head_mask
    )
    assert_close(mine, expected)
    assert_close(probs, expected_probs)


def test_keys_are_split_into_heads(layer):
    memory = draw_hidden(D, length=11)
    keys = layer.project(memory)
    weights = weights_of(layer)
    for name, mine in (("k_proj", keys.key), ("v_proj", keys.value)):
        expected = weights.heads(name, np.asarray(memory, "float64"), N)
        assert_close(mine, expected.swapaxes(1, 2))


def run(layer, hidden):
    return layer(hidden, layer.project(hidden), tf.constant(True))[0]


def test_every_way_of_calling():
    check_layer(DecoderAttention, {"dim": D, "num_heads": N}, run, num_weights=8)


def test_dropout_follows_the_seed():
    layer = DecoderAttention(D, N, dropout_rate=0.4)
    layer.build()
    spread(layer)
    hidden = draw_hidden(D)
    keys = layer.project(hidden)
    (plain, probs), (first, same), (again, _) = (
        layer(hidden, keys, tf.constant(True), seed=seed)
        for seed in (None, tf.constant([3, 5]), tf.constant([3, 5]))
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(probs, same)  # As in PyTorch: before dropout.
    assert np.abs(first - plain).max() > 0.1


def test_heads_that_do_not_divide_raise():
    with pytest.raises(ValueError, match="`d_model` 15 .* attention heads, 4"):
        DecoderAttention(15, 4)
