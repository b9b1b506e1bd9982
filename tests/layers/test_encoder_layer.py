import numpy as np
import pytest
import tensorflow as tf

from tests.layers.layer_checks import check_layer, draw_hidden, spread, weights_of
from tests.layers.test_encoder_attention import GLOBAL, PADDING, dense_attention
from tests.ops.dense import assert_close
from tests.ops.graph_memory import kept_per_turn, largest_tensor
from tf_led.layers.encoder_layer import EncoderLayer

D, N, R, F = 15, 5, 2, 19
SIZES = {"dim": D, "num_heads": N, "radius": R, "ffn_dim": F}
MASKS = [tf.constant(PADDING), tf.constant(GLOBAL)]


def make(**options):
    layer = EncoderLayer(**SIZES, **options)
    layer.build()
    spread(layer)
    return layer


@pytest.mark.parametrize("activation", ["gelu", "relu", "gelu_new"])
def test_equals_the_reference(activation):
    layer = make(activation=activation)
    hidden, weights = np.asarray(draw_hidden(D), "float64"), weights_of(layer)
    context, *_ = dense_attention(layer.self_attn, hidden, PADDING, GLOBAL)
    tokens = weights.norm("self_attn_layer_norm", hidden + context)
    expected = weights.feed_forward(tokens, activation)
    assert_close(layer(draw_hidden(D), *MASKS).hidden, expected)


def test_every_way_of_calling():
    check_layer(
        EncoderLayer,
        SIZES,
        lambda layer, hidden: layer(hidden, *MASKS).hidden,
        num_weights=22,
    )


@pytest.mark.parametrize(
    "where", ["dropout_rate", "attention_dropout", "activation_dropout"]
)
def test_every_dropout_is_live_and_follows_the_seed(where):
    layer, hidden = make(**{where: 0.4}), draw_hidden(D)
    plain = layer(hidden, *MASKS).hidden
    first, again, other = (
        layer(hidden, *MASKS, seed=tf.constant(seed)).hidden
        for seed in ([3, 5], [3, 5], [3, 7])
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - plain).max() > 0.1 < np.abs(first - other).max()


def test_float16_stays_below_its_limit():
    """PyTorch's layer clips there too; a norm's gain can carry states beyond it."""
    layer = EncoderLayer(**SIZES, dtype="mixed_float16")
    layer.build()
    spread(layer)
    layer.final_layer_norm.gamma.assign(np.full([D], 60_000.0))
    layer.final_layer_norm.beta.assign(np.full([D], 60_000.0))
    hidden = layer(tf.cast(draw_hidden(D), tf.float16), *MASKS).hidden
    assert np.abs(hidden).max() == np.float16(65_504 - 1000)


def test_unknown_activations_raise():
    with pytest.raises(ValueError, match="`activation_function` is 'mish'"):
        EncoderLayer(**SIZES, activation="mish")


def test_memory_of_training_is_linear_in_the_length():
    """4,096 tokens of 16 features, a window of 513, any number of global tokens."""
    layer = EncoderLayer(16, 2, 256, 32)
    layer.build()
    variables = [variable.value for variable in layer.trainable_variables]

    @tf.function(autograph=False)
    def run(hidden, global_mask):
        mask = tf.ones([1, 4096], tf.bool)
        with tf.GradientTape() as tape:
            output = layer(hidden, mask, global_mask=global_mask)
        return tape.gradient(output.hidden, variables)

    graph = run.get_concrete_function(
        tf.TensorSpec([1, 4096, 16]), tf.TensorSpec([1, 4096], tf.bool)
    ).graph
    budget = 8 * 4096 * 16
    assert largest_tensor(graph) <= budget < 4096 * 513 * 2
    assert kept_per_turn(graph) <= budget / 32
