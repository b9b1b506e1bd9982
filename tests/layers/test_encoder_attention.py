import numpy as np
import pytest
import tensorflow as tf

from tests.layers.layer_checks import check_layer, draw_hidden, spread, weights_of
from tests.ops.dense import assert_close
from tf_led.layers.encoder_attention import EncoderAttention, split_dense_kernel
from tf_led.layers.sublayers import dense
from tf_led.ops.global_attention import find_global_tokens
from tf_led.testing import dense_led_attention

D, N, R = 15, 5, 2
PADDING = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]], bool)
GLOBAL = np.array([[1, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]], bool)
HEAD_MASK = [0.0, 1.0, 0.5, 2.0, 1.0]


@pytest.fixture(scope="module")
def layer():
    layer = EncoderAttention(D, N, R)
    layer.build()
    spread(layer)
    return layer


def dense_attention(layer, hidden, padding, is_global, head_mask=None):
    """The same from `tf_led.testing`: hidden states and both probabilities."""
    weights, hidden = weights_of(layer), np.asarray(hidden, "float64")
    names = ["query", "key", "value", "query_global", "key_global", "value_global"]
    projected = [weights.heads(name, hidden, N) for name in names]
    projected[0], projected[3] = (projected[i] / (D // N) ** 0.5 for i in (0, 3))
    context, *probs = dense_led_attention(
        *projected,
        padding_mask=padding,
        global_mask=is_global,
        radius=R,
        head_mask=head_mask,
    )
    return weights.linear("output", context.reshape(hidden.shape)), *probs


@pytest.mark.parametrize("head_mask", [None, HEAD_MASK])
@pytest.mark.parametrize("output_attentions", [False, True])
@pytest.mark.parametrize("is_global", [None, np.zeros_like(GLOBAL), GLOBAL, PADDING])
def test_equals_the_reference(layer, is_global, output_attentions, head_mask):
    hidden = draw_hidden(D)
    global_mask = None if is_global is None else tf.constant(is_global)
    found = None
    if is_global is not None:
        found = find_global_tokens(global_mask, is_global.sum(axis=1).max())
    output = layer(
        hidden,
        tf.constant(PADDING),
        global_mask=global_mask,
        global_tokens=found if output_attentions else None,
        head_mask=head_mask and tf.constant(head_mask),
        output_attentions=output_attentions,
    )
    given = np.zeros_like(PADDING) if is_global is None else is_global
    expected = dense_attention(layer, hidden, PADDING, given, head_mask)
    assert_close(output.hidden, expected[0])
    if not output_attentions:
        assert output.attention_probs is None and output.global_attention_probs is None
        return
    assert_close(output.attention_probs, expected[1])
    if is_global is None:
        assert output.global_attention_probs is None
    else:
        assert_close(output.global_attention_probs, expected[2])


def run(layer, hidden):
    return layer(hidden, tf.constant(PADDING), global_mask=tf.constant(GLOBAL)).hidden


def test_every_way_of_calling():
    check_layer(
        EncoderAttention, {"dim": D, "num_heads": N, "radius": R}, run, num_weights=14
    )


@pytest.mark.filterwarnings("ignore:Gradients do not exist for .*query_global")
def test_without_global_tokens_their_projections_do_not_learn():
    check_layer(
        EncoderAttention,
        {"dim": D, "num_heads": N, "radius": R, "name": "local"},
        lambda layer, hidden: layer(hidden, tf.constant(PADDING)).hidden,
        num_weights=14,
        unmoved=["query_global", "key_global", "value_global"],
    )


def test_dropout_follows_the_seed_with_or_without_probabilities():
    layer = EncoderAttention(D, N, R, dropout_rate=0.4)
    layer.build()
    spread(layer)
    hidden, masks = draw_hidden(D), [tf.constant(PADDING), tf.constant(GLOBAL)]
    found = find_global_tokens(masks[1], 2)
    plain, first, again, other = (
        layer(hidden, *masks, seed=seed).hidden
        for seed in (
            None,
            tf.constant([3, 5]),
            tf.constant([3, 5]),
            tf.constant([3, 7]),
        )
    )
    with_probs = layer(
        hidden,
        *masks,
        global_tokens=found,
        seed=tf.constant([3, 5]),
        output_attentions=True,
    )
    np.testing.assert_array_equal(first, again)
    assert_close(with_probs.hidden, first)
    assert np.abs(first - plain).max() > 0.1 < np.abs(first - other).max()


def test_finding_global_tokens_here_or_before_is_the_same(layer):
    hidden, masks = draw_hidden(D), [tf.constant(PADDING), tf.constant(GLOBAL)]
    found = find_global_tokens(masks[1], 3)
    assert_close(
        layer(hidden, *masks, global_tokens=found).hidden, layer(hidden, *masks).hidden
    )


def test_an_unknown_implementation_raises():
    with pytest.raises(ValueError, match="`attention_implementation` is 'flash'"):
        EncoderAttention(D, N, R, attention_implementation="flash")


@pytest.mark.parametrize("quantized", [False, True])
def test_split_dense_kernel(quantized):
    """The parts do what the layer does, int8 kernels with their scale."""
    layer = dense(12, 0.5, "dense", "float32")
    layer.build((None, 13))
    layer.bias.assign(np.arange(12.0))
    if quantized:
        layer.quantize("int8")
    kernel, bias = split_dense_kernel(layer, 3)
    assert kernel.shape == [13, 3, 4] and bias.shape == [3, 4]
    hidden = draw_hidden(13)
    mine = tf.einsum("bsd,dnh->bsnh", hidden, kernel) + bias
    tolerance = 0.02 if quantized else 1e-5
    assert_close(tf.reshape(mine, [2, 7, 12]), layer(hidden), tolerance)


def test_heads_that_do_not_divide_raise():
    with pytest.raises(ValueError, match="`d_model` 15 .* attention heads, 4"):
        EncoderAttention(15, 4, 2)
