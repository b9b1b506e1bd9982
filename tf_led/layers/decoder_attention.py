"""Self- and cross-attention of the decoder."""

from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import heads
from tf_led.ops.full_attention import full_attention
from tf_led.ops.tensor_utils import heads_first


class KeyValue(NamedTuple):
    """Keys and values, float[B, N, K, H] each, computed once and read many times."""

    key: tf.Tensor
    value: tf.Tensor


class DecoderAttention(keras.layers.Layer):
    """Attends to keys that `project` made, from the decoder or from the encoder.

    Call arguments: `hidden` float[B, T, D]; `keys`, a `KeyValue`; `visible`, bool that
    broadcasts to [B, N, T, K]; `head_mask` float[N] or None; `seed` int32[2] or None
    for no dropout. Returns the new hidden states float[B, T, D] and the attention map
    float[B, N, T, K], head-masked, before dropout.

    Args:
        dim: int, D.
        num_heads: int, N; divides `dim`.
        dropout_rate: float, share of the attention dropped.
        init_std: float, standard deviation of the initial kernels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: if `num_heads` does not divide `dim`.
    """

    def __init__(self, dim, num_heads, *, dropout_rate=0.0, init_std=0.02, **kwargs):
        super().__init__(**kwargs)
        heads.check_heads(dim, num_heads)
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.dropout_rate = dropout_rate
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, heads.dense(dim, init_std, name, self.dtype_policy))

    def build(self, input_shape=None):
        for projection in (self.q_proj, self.k_proj, self.v_proj, self.out_proj):
            projection.build((None, None, self.dim))
        self.built = True

    def project(self, hidden):
        """Makes `KeyValue` of hidden states float[B, K, D]."""
        return KeyValue(
            *(
                self._split(heads.on_rows(projection, hidden))
                for projection in (self.k_proj, self.v_proj)
            )
        )

    def scaled_query(self, hidden):
        """Makes queries float[B, N, T, H], scaled, of hidden states float[B, T, D]."""
        return self._split(heads.on_rows(self.q_proj, hidden) * self.head_dim**-0.5)

    def call(self, hidden, keys, visible, head_mask=None, seed=None):
        context, probs = full_attention(
            self.scaled_query(hidden),
            keys.key,
            keys.value,
            visible=visible,
            dropout_rate=self.dropout_rate,
            seed=seed,
        )
        context = heads.scale_heads(heads_first(context), head_mask)
        hidden = heads.on_rows(self.out_proj, heads.merge_heads(context))
        return hidden, heads.scale_maps(probs, head_mask)

    def _split(self, projected):
        return heads_first(heads.split_heads(projected, self.num_heads))
