import numpy as np
import pytest
import tensorflow as tf

from tests.layers.layer_checks import check_layer, draw_hidden, spread, weights_of
from tests.ops.dense import assert_close
from tf_led.layers.decoder_layer import DecoderLayer
from tf_led.ops.masks import causal_mask

D, N, F, T, S = 15, 5, 19, 7, 11
SIZES = {"dim": D, "num_heads": N, "ffn_dim": F}
MEMORY = draw_hidden(D, length=S, seed=3)
DOCUMENT_MASK = np.array([[1] * S, [1] * 8 + [0] * 3], bool)
HEAD_MASKS = np.array([[0.0, 1.0, 0.5, 2.0, 1.0], [1.0, 0.0, 2.0, 1.0, 0.5]])


def make(**options):
    layer = DecoderLayer(**SIZES, **options)
    layer.build()
    spread(layer)
    return layer


@pytest.fixture(scope="module")
def layer():
    return make()


def run(layer, hidden, past=None, **options):
    """Reads all tokens, with the document as far as it is real."""
    keys = layer.extend_keys(hidden, past)
    mask = causal_mask(tf.shape(hidden)[1], tf.shape(keys.key)[2])
    return layer(
        hidden,
        keys,
        mask,
        cross_keys=layer.encoder_attn.project(tf.cast(MEMORY, hidden.dtype)),
        cross_attention_mask=tf.constant(DOCUMENT_MASK[:, None, None]),
        **options,
    )


@pytest.mark.parametrize("head_masks", [np.ones([2, N]), HEAD_MASKS])
def test_equals_the_reference(layer, head_masks):
    hidden = draw_hidden(D)
    own_mask, cross_mask = tf.constant(head_masks, tf.float32)
    mine = run(layer, hidden, head_mask=own_mask, cross_head_mask=cross_mask)
    weights, tokens = weights_of(layer), np.asarray(hidden, "float64")
    causal = np.tril(np.ones([1, T, T], bool))
    update, probs = weights.below("self_attn.").attend(
        tokens, tokens, causal, head_masks[0]
    )
    tokens = weights.norm("self_attn_layer_norm", tokens + update)
    update, cross_probs = weights.below("encoder_attn.").attend(
        tokens, np.asarray(MEMORY), DOCUMENT_MASK[:, None], head_masks[1]
    )
    tokens = weights.norm("encoder_attn_layer_norm", tokens + update)
    assert_close(mine.hidden, weights.feed_forward(tokens, "gelu"))
    assert_close(mine.self_probs, probs)
    assert_close(mine.cross_probs, cross_probs)


def test_every_way_of_calling():
    check_layer(
        DecoderLayer,
        SIZES,
        lambda layer, hidden: run(layer, hidden).hidden,
        num_weights=26,
    )


def test_without_a_document_there_is_no_cross_attention(layer):
    hidden = draw_hidden(D)
    output = layer(hidden, layer.extend_keys(hidden, None), causal_mask(T, T))
    assert output.cross_probs is None
    assert np.abs(output.hidden - run(layer, hidden).hidden).max() > 0.1


def test_extending_keys_equals_reading_at_once(layer):
    hidden = draw_hidden(D)
    past = layer.extend_keys(hidden[:, :3], None)
    later = run(layer, hidden[:, 3:], past)
    assert_close(later.hidden, run(layer, hidden).hidden[:, 3:])
    whole, extended = (
        layer.extend_keys(part, keys)
        for part, keys in ((hidden, None), (hidden[:, 3:], past))
    )
    assert_close(extended.key, whole.key)
    assert_close(extended.value, whole.value)


@pytest.mark.parametrize(
    "where", ["dropout_rate", "attention_dropout", "activation_dropout"]
)
def test_every_dropout_is_live_and_follows_the_seed(layer, where):
    dropping, hidden = make(**{where: 0.4}), draw_hidden(D)
    plain = run(layer, hidden).hidden
    first, again, other = (
        run(dropping, hidden, seed=tf.constant(seed)).hidden
        for seed in ([3, 5], [3, 5], [3, 7])
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - plain).max() > 0.1 < np.abs(first - other).max()
