"""Self- and cross-attention of the decoder."""

from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.ops.full_attention import HeadsFirst, full_attention
from tf_led.ops.tensor_utils import heads_first


class KeyValue(NamedTuple):
    """Keys and values, float[B, N, K, H] each, computed once and read many times."""

    key: tf.Tensor
    value: tf.Tensor


class DecoderAttention(keras.layers.Layer):
    """Attends to keys that `project` made, from the decoder or from the encoder.

    Call arguments: `hidden` float[B, T, D]; `keys`, a `KeyValue`; `attention_mask`,
    bool that broadcasts to [B, N, T, K], True = may be attended to; `head_mask`
    float[N] or None; `seed` int32[2] or None for no dropout. Returns the new hidden
    states float[B, T, D] and the attention probabilities float[B, N, T, K], times the
    head mask, before dropout.

    Args:
        dim: int, D.
        num_heads: int, N; divides `dim`.
        dropout_rate: float, fraction of the attention probabilities dropped.
        init_std: float, standard deviation of the initial kernels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: if `num_heads` does not divide `dim`.
    """

    def __init__(self, dim, num_heads, *, dropout_rate=0.0, init_std=0.02, **kwargs):
        super().__init__(**kwargs)
        sublayers.check_heads(dim, num_heads)
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.dropout_rate = dropout_rate
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, sublayers.dense(dim, init_std, name, self.dtype_policy))

    def build(self, input_shape=None):
        for projection in (self.q_proj, self.k_proj, self.v_proj, self.out_proj):
            projection.build((None, None, self.dim))
        self.built = True

    def project(self, hidden):
        """Makes `KeyValue` of hidden states float[B, K, D]."""
        return KeyValue(
            heads_first(self._split(self.k_proj, hidden)),
            heads_first(self._split(self.v_proj, hidden)),
        )

    def call(self, hidden, keys, attention_mask, head_mask=None, seed=None):
        context, probs = full_attention(
            self._split(self.q_proj, hidden),
            HeadsFirst(keys.key),
            HeadsFirst(keys.value),
            attention_mask=attention_mask,
            scale=self.head_dim**-0.5,
            dropout_rate=self.dropout_rate,
            seed=seed,
            output_attentions=True,
        )
        context = sublayers.merge_heads(sublayers.scale_heads(context, head_mask))
        hidden = sublayers.project(self.out_proj, context)
        return hidden, sublayers.scale_probs(probs, head_mask)

    def _split(self, projection, hidden):
        """[B, T, D] -> [B, T, N, H]."""
        rows = sublayers.project(projection, hidden)
        return sublayers.split_heads(rows, self.num_heads)
