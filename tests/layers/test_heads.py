import numpy as np
import pytest
import tensorflow as tf
import torch

from tf_led.layers import heads


def test_split_and_merge_undo_each_other():
    hidden = tf.reshape(tf.range(2 * 3 * 35), [2, 3, 35])
    split = heads.split_heads(hidden, 5)
    assert split.shape == [2, 3, 5, 7]
    np.testing.assert_array_equal(split[1, 2, 4], hidden[1, 2, 28:])
    np.testing.assert_array_equal(heads.merge_heads(split), hidden)


def test_merge_keeps_what_is_static():
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 5, 7])])
    def merge(split):
        merged = heads.merge_heads(split)
        assert merged.shape.as_list() == [None, 3, 35]
        return merged

    assert merge(tf.ones([2, 3, 5, 7])).shape == [2, 3, 35]


def test_layer_norm_is_pytorchs():
    """Keras' own epsilon, 1e-3, would show on states as small as these."""
    hidden = 0.05 * np.random.default_rng(0).standard_normal([2, 3, 7])
    norm = heads.layer_norm("norm", "float32")
    theirs = torch.nn.LayerNorm(7)(torch.tensor(hidden, dtype=torch.float32))
    np.testing.assert_allclose(norm(hidden), theirs.detach().numpy(), atol=1e-5)


def test_dense_starts_as_pytorchs():
    dense = heads.dense(211, 0.02, "dense", "float32")
    dense.build((None, 103))
    assert abs(np.std(dense.kernel) - 0.02) < 1e-3
    assert not np.any(dense.bias)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_head_masks_scale_heads(dtype):
    mask = tf.constant([0.0, 1.0, 0.5])
    context = heads.scale_heads(tf.ones([2, 5, 3, 7], dtype), mask)
    probs = heads.scale_probs(tf.ones([2, 3, 5, 7], dtype), mask)
    assert context.dtype == probs.dtype == dtype
    for head, scale in enumerate([0, 1, 0.5]):
        assert np.all(context[:, :, head] == scale)
        assert np.all(probs[:, head] == scale)


def test_no_head_mask_leaves_all_as_it_is():
    tensor = tf.ones([2, 5, 3, 7])
    assert heads.scale_heads(tensor, None) is tensor
    assert heads.scale_probs(tensor, None) is tensor


def test_heads_that_do_not_divide_raise():
    heads.check_heads(12, 3)
    with pytest.raises(ValueError, match="`d_model` 12 .* attention heads, 5"):
        heads.check_heads(12, 5)
