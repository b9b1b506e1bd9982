"""Self- and cross-attention of the decoder."""

from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import heads
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
    float[N] or None; `seed` int32[2] or None for no dropout; `query` float[B, T, N, H]
    or None, where `project_joined` has made it already. Returns the new hidden
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
            heads_first(self._split(self.k_proj, hidden)),
            heads_first(self._split(self.v_proj, hidden)),
        )

    def join_projections(self):
        """Puts the weights of query, key and value side by side, for one product.

        Made once before a loop over tokens, they spare it the casts of every step too.

        Returns:
            Pair of kernel float[D, 3D] and bias float[3D], of the compute dtype; None
            where a projection is quantized, which its layer alone can apply.
        """
        projections = (self.q_proj, self.k_proj, self.v_proj)
        if any(projection.quantization_mode for projection in projections):
            return None
        kernels = [tf.cast(part.kernel, self.compute_dtype) for part in projections]
        biases = [tf.cast(part.bias, self.compute_dtype) for part in projections]
        return tf.concat(kernels, axis=1), tf.concat(biases, axis=0)

    def project_joined(self, hidden, joined):
        """Makes query, key and value of hidden states in one product.

        Args:
            hidden: float[B, T, D].
            joined: pair that `join_projections` made.

        Returns:
            Pair of query float[B, T, N, H] and `KeyValue`.
        """
        kernel, bias = joined

        def project(rows):
            return tf.nn.bias_add(tf.matmul(rows, kernel), bias)

        parts = tf.split(heads.on_rows(project, hidden), 3, axis=-1)
        query, key, value = (heads.split_heads(part, self.num_heads) for part in parts)
        return query, KeyValue(heads_first(key), heads_first(value))

    def call(self, hidden, keys, attention_mask, head_mask=None, seed=None, query=None):
        context, probs = full_attention(
            self._split(self.q_proj, hidden) if query is None else query,
            HeadsFirst(keys.key),
            HeadsFirst(keys.value),
            attention_mask=attention_mask,
            scale=self.head_dim**-0.5,
            dropout_rate=self.dropout_rate,
            seed=seed,
            output_attentions=True,
        )
        context = heads.merge_heads(heads.scale_heads(context, head_mask))
        hidden = heads.on_rows(self.out_proj, context)
        return hidden, heads.scale_probs(probs, head_mask)

    def _split(self, projection, hidden):
        """[B, T, D] -> [B, T, N, H]."""
        return heads.split_heads(heads.on_rows(projection, hidden), self.num_heads)
