import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.layers.layer_checks import draw_hidden, spread, weights_of
from tests.ops.dense import assert_close
from tf_led.layers import sublayers
from tf_led.layers.sublayers import FeedForwardMixin
from tf_led.utils.bfloat16 import SWITCH


def test_split_and_merge_undo_each_other():
    hidden = tf.reshape(tf.range(2 * 3 * 35), [2, 3, 35])
    split = sublayers.split_heads(hidden, 5)
    assert split.shape == [2, 3, 5, 7]
    np.testing.assert_array_equal(split[1, 2, 4], hidden[1, 2, 28:])
    np.testing.assert_array_equal(sublayers.merge_heads(split), hidden)


def test_merge_keeps_what_is_static():
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 5, 7])])
    def merge(split):
        merged = sublayers.merge_heads(split)
        assert merged.shape.as_list() == [None, 3, 35]
        return merged

    assert merge(tf.ones([2, 3, 5, 7])).shape == [2, 3, 35]


def test_layer_norm_is_pytorchs():
    """Keras' own epsilon, 1e-3, would show on states as small as these."""
    hidden = 0.05 * np.random.default_rng(0).standard_normal([2, 3, 7])
    norm = sublayers.layer_norm("norm", "float32")
    theirs = torch.nn.LayerNorm(7)(torch.tensor(hidden, dtype=torch.float32))
    np.testing.assert_allclose(norm(hidden), theirs.detach().numpy(), atol=1e-5)


def test_dense_starts_as_pytorchs():
    dense = sublayers.dense(211, 0.02, "dense", "float32")
    dense.build((None, 103))
    assert abs(np.std(dense.kernel) - 0.02) < 1e-3
    assert not np.any(dense.bias)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_head_masks_scale_heads(dtype):
    mask = tf.constant([0.0, 1.0, 0.5])
    context = sublayers.scale_heads(tf.ones([2, 5, 3, 7], dtype), mask)
    probs = sublayers.scale_probs(tf.ones([2, 3, 5, 7], dtype), mask)
    assert context.dtype == probs.dtype == dtype
    for head, scale in enumerate([0, 1, 0.5]):
        assert np.all(context[:, :, head] == scale)
        assert np.all(probs[:, head] == scale)


def test_no_head_mask_leaves_all_as_it_is():
    tensor = tf.ones([2, 5, 3, 7])
    assert sublayers.scale_heads(tensor, None) is tensor
    assert sublayers.scale_probs(tensor, None) is tensor


def test_heads_that_do_not_divide_raise():
    sublayers.check_heads(12, 3)
    with pytest.raises(ValueError, match="`d_model` 12 .* attention heads, 5"):
        sublayers.check_heads(12, 5)


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


@pytest.mark.parametrize(
    ("switch", "mode", "kind"),
    [
        ("BF16", None, "BatchMatMulV2"),
        ("BF16", "int8", "BatchMatMulV3"),  # Keras' own, of bytes
        ("", None, "MatMul"),
    ],
)
def test_factors_to_be_rounded_are_those_of_a_batch(monkeypatch, switch, mode, kind):
    """In products of batches alone are they rounded by oneDNN."""
    layer = sublayers.dense(7, 0.5, "dense", "float32")
    layer.build((None, 3))
    if mode:
        layer.quantize(mode)
    hidden = draw_hidden(3)
    expected = layer(hidden)
    monkeypatch.setenv(SWITCH, switch)
    run = tf.function(lambda hidden: sublayers.project(layer, hidden))
    np.testing.assert_allclose(run(hidden), expected, atol=1e-6)
    operations = run.get_concrete_function(hidden).graph.get_operations()
    assert [op.type for op in operations if "MatMul" in op.type] == [kind]


@pytest.mark.parametrize("seed", [None, [3, 5]])
def test_a_network_with_rounded_factors_and_its_gradients(monkeypatch, seed):
    """TensorFlow runs without the switch: this is about the other way of computing."""
    network, hidden = Network(activation_dropout=0.2, dropout_rate=0.1), draw_hidden(D)
    seed = None if seed is None else tf.constant(seed)

    def results():
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            result = network.feed_forward(hidden, seed)
        weights = [v.value for v in network.trainable_variables]
        return result, *tape.gradient(result, [hidden, *weights])

    expected = results()
    monkeypatch.setenv(SWITCH, "BF16")
    for found, other in zip(results(), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=1e-5)
