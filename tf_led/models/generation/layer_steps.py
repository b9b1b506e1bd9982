"""Decoder layers inside the loop over tokens, their weights made ready before it.

What a layer computes for a few tokens takes less time than reading its weights, and on
a GPU less than launching its kernels: in the loop nothing is cast, scaled or joined
that could be so before it.
"""

import math

import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.layers.decoder_attention import KeyValue
from tf_led.layers.decoder_layer import DecoderLayer, DecoderOutput
from tf_led.ops.activations import gelu
from tf_led.ops.control_flow import in_xla
from tf_led.ops.layer_norm import few_kernels_norm
from tf_led.ops.masks import mask_bias, softmax_dtype, softmax_with_bias
from tf_led.ops.tensor_utils import heads_first


def make_layer_step(layer, document, document_mask, *, dtype, few_kernels=False):
    """Chooses how a layer runs in the loop.

    Args:
        layer: `DecoderLayer`, or a layer called like it.
        document: float[B, S, D] of the encoder.
        document_mask: bool[B, S], True for tokens that may be attended to.
        dtype: string, of weights, products and cache.
        few_kernels: bool, whether to spare kernel launches, as a GPU needs it.

    Returns:
        `LayerStep` where only the layer itself knows what it does, as one that is
        quantized; else `PreparedStep`, or `FewKernelStep`.
    """
    if type(layer) is not DecoderLayer or any(_is_quantized(layer)):
        return LayerStep(layer, document, document_mask)
    # XLA makes few kernels by itself.
    cls = FewKernelStep if few_kernels and not in_xla() else PreparedStep
    return cls(layer, document, document_mask, dtype=dtype)


def _is_quantized(layer):
    for part in layer._flatten_layers():
        yield getattr(part, "quantization_mode", None) is not None


class LayerStep:
    """Runs a layer as it is.

    Call arguments: `hidden` float[B, X, D], X tokens of each document; `extend`, which
    takes their `KeyValue` [B, N, X, H] and returns that of the K tokens to attend to;
    `attention_mask` bool[B or 1, 1, X, K]. Returns `DecoderOutput`.

    Args:
        layer: layer called like `DecoderLayer`.
        document: float[B, S, D].
        document_mask: bool[B, S].
        head_mask: float[N] or None, for self-attention.
        cross_head_mask: float[N] or None, for cross-attention.
    """

    def __init__(
        self, layer, document, document_mask, head_mask=None, cross_head_mask=None
    ):
        self.layer = layer
        self.given = {
            "cross_keys": layer.encoder_attn.project(document),
            "cross_attention_mask": document_mask[:, None, None, :],
            "head_mask": head_mask,
            "cross_head_mask": cross_head_mask,
        }

    def prepare_rows(self, num_rows, width):
        """Nothing: see `FewKernelStep`."""

    def __call__(self, hidden, extend, attention_mask):
        hidden = tf.cast(hidden, self.layer.compute_dtype)
        keys = extend(self.layer.self_attn.project(hidden))
        return self.layer(hidden, keys, attention_mask, **self.given)


class PreparedStep:
    """Computes what a `DecoderLayer` computes, without dropout.

    Weights are cast once; those of query, key and value stand side by side, for one
    product; the factor of the scores is in the weights of the queries.

    Args, call arguments and result: as `LayerStep`, without head masks.
        dtype: string, of weights, products and cache.
    """

    def __init__(self, layer, document, document_mask, *, dtype):
        own, cross = layer.self_attn, layer.encoder_attn
        self.layer, self.dtype = layer, dtype
        self.num_heads, self.dim = own.num_heads, own.dim
        scale = own.head_dim**-0.5
        parts = [
            self._weights(own.q_proj, scale),
            self._weights(own.k_proj),
            self._weights(own.v_proj),
        ]
        self.joined = [tf.concat(kind, -1) for kind in zip(*parts, strict=True)]
        self.own_out = self._weights(own.out_proj)
        self.cross_query = self._weights(cross.q_proj, scale)
        self.cross_out = self._weights(cross.out_proj)
        self.fc1, self.fc2 = self._weights(layer.fc1), self._weights(layer.fc2)
        document = tf.cast(document, layer.compute_dtype)
        keys = cross.project(document)
        self.cross_keys = KeyValue(*(tf.cast(part, dtype) for part in keys))
        self.cross_bias = self._bias(document_mask[:, None, None, :])

    def prepare_rows(self, num_rows, width):
        """Nothing: see `FewKernelStep`."""

    def __call__(self, hidden, extend, attention_mask):
        layer, num_read = self.layer, hidden.shape[1]
        rows = tf.reshape(tf.cast(hidden, self.dtype), [-1, self.dim])
        query, new = self._project(rows, num_read)
        scores = self._scores(query, extend(new), self._bias(attention_mask))
        rows, own_probs = self._attend(
            rows, *scores, self.own_out, layer.self_attn_layer_norm
        )
        scores = self._cross_scores(rows, num_read)
        rows, cross_probs = self._attend(
            rows, *scores, self.cross_out, layer.encoder_attn_layer_norm
        )
        update = tf.matmul(self._wide(rows), self.fc2[0])
        rows = self._norm(self._add(rows, update, self.fc2[1]), layer.final_layer_norm)
        hidden = tf.reshape(rows, [-1, num_read, self.dim])
        return DecoderOutput(hidden, own_probs, cross_probs)

    def _weights(self, dense, factor=1.0):
        """Kernel and bias of a Dense layer, times a factor."""
        parts = (tf.convert_to_tensor(part) for part in (dense.kernel, dense.bias))
        if factor != 1.0:
            parts = (part * tf.cast(factor, part.dtype) for part in parts)
        return [tf.cast(part, self.dtype) for part in parts]

    def _bias(self, attention_mask):
        return mask_bias(attention_mask, softmax_dtype(self.dtype))

    def _project(self, rows, num_read):
        """Query [B, N, X, H] and `KeyValue` of rows [B * X, D]."""
        kernel, bias = self.joined
        joined = tf.nn.bias_add(tf.matmul(rows, kernel), bias)
        query, key, value = self._split(joined, num_read)
        return query, KeyValue(key, value)

    def _split(self, joined, num_read):
        return [self._heads(part, num_read) for part in tf.split(joined, 3, axis=-1)]

    def _heads(self, rows, num_read):
        """[B * X, D] -> [B, N, X, H]."""
        shape = [-1, num_read, self.num_heads, self.dim // self.num_heads]
        return heads_first(tf.reshape(rows, shape))

    def _cross_scores(self, rows, num_read):
        """`_scores` of the document's tokens."""
        query = self._heads(self._query(rows), num_read)
        return self._scores(query, self.cross_keys, self.cross_bias)

    def _query(self, rows):
        kernel, bias = self.cross_query
        return tf.nn.bias_add(tf.matmul(rows, kernel), bias)

    def _scores(self, query, keys, bias):
        """Values, and the probabilities [B, N, X, K] of their tokens."""
        scores = tf.matmul(query, keys.key, transpose_b=True)
        return keys.value, softmax_with_bias(scores, bias)

    def _attend(self, rows, value, probs, out, norm):
        update = self._update(probs, value, out[0])
        return self._norm(self._add(rows, update, out[1]), norm), probs

    def _update(self, probs, value, kernel):
        """What is attended to, projected: [B * X, D]."""
        context = heads_first(tf.matmul(probs, value))  # [B, X, N, H]
        return tf.matmul(tf.reshape(context, [-1, self.dim]), kernel)

    def _add(self, rows, update, bias):
        return rows + tf.nn.bias_add(update, bias)

    def _norm(self, rows, norm):
        return tf.cast(norm(rows), self.dtype)

    def _wide(self, rows):
        kernel, bias = self.fc1
        return self.layer.activation(tf.nn.bias_add(tf.matmul(rows, kernel), bias))


class FewKernelStep(PreparedStep):
    """The same in some 35 kernel launches, where a layer as it is takes 70.

    - Tokens of one document are the columns of products, not their rows, where heads
      would have to be put before them: [B, N * H, X] is [B, N, H, X].
    - The bias of cross-attention's queries becomes part of what is added to its scores.
    - A bias and a residual are added in one.
    - `x * erfc(-x / sqrt(2)) / 2`, the GELU, has its factors in the weights around it.
    """

    def __init__(self, layer, document, document_mask, *, dtype):
        super().__init__(layer, document, document_mask, dtype=dtype)
        kernel, bias = self.cross_query
        self.cross_query = [kernel, None]
        shape = [1, self.num_heads, 1, self.dim // self.num_heads]
        of_bias = tf.matmul(tf.reshape(bias, shape), self.cross_keys.key, False, True)
        self.cross_bias += tf.cast(of_bias, self.cross_bias.dtype)  # [B, N, 1, S]
        self.is_gelu = layer.activation is gelu
        if self.is_gelu:
            root = -math.sqrt(0.5)
            self.fc1 = self._weights(layer.fc1, root)
            self.fc2 = [self._weights(layer.fc2, root)[0], self.fc2[1]]
        self.norms = {
            norm: [tf.cast(part, tf.float32) for part in (norm.gamma, norm.beta)]
            for norm in (
                layer.self_attn_layer_norm,
                layer.encoder_attn_layer_norm,
                layer.final_layer_norm,
            )
        }
        self.width, self.has_repeated, self.repeated = None, False, {}
        self.units = None

    def prepare_rows(self, num_rows, width):
        """Makes what steps of B times `width` rows need; called before the loop."""
        self.width = width
        self.units = tf.ones([num_rows]), tf.zeros([num_rows])
        for part in (self.own_out, self.cross_out, self.fc2):
            shape = [num_rows, self.dim]
            self.repeated[part[1].ref()] = tf.broadcast_to(part[1], shape)

    def __call__(self, hidden, extend, attention_mask):
        self.has_repeated = hidden.shape[1] == self.width
        return super().__call__(hidden, extend, attention_mask)

    def _split(self, joined, num_read):
        if num_read == 1:
            return super()._split(joined, num_read)
        shape = [-1, num_read, 3, self.num_heads, self.dim // self.num_heads]
        parts = tf.transpose(tf.reshape(joined, shape), [2, 0, 3, 1, 4])
        size = tf.concat([[1], tf.shape(parts)[1:]], axis=0)
        slices = [tf.slice(parts, [i, 0, 0, 0, 0], size) for i in range(3)]  # no copy
        shape = [-1, self.num_heads, num_read, self.dim // self.num_heads]
        return [tf.reshape(part, shape) for part in slices]

    def _query(self, rows):
        return tf.matmul(rows, self.cross_query[0])

    def _cross_scores(self, rows, num_read):
        if num_read == 1:
            return super()._cross_scores(rows, num_read)
        rows = tf.reshape(rows, [-1, num_read, self.dim])
        query = tf.matmul(self.cross_query[0], rows, transpose_a=True, transpose_b=True)
        shape = [-1, self.num_heads, self.dim // self.num_heads, num_read]
        query = tf.reshape(query, shape)  # [B, N, H, X]
        key, value = self.cross_keys
        scores = tf.matmul(query, key, transpose_a=True, transpose_b=True)
        return value, softmax_with_bias(scores, self.cross_bias)

    def _update(self, probs, value, kernel):
        num_read = probs.shape[2]
        if num_read == 1:
            return super()._update(probs, value, kernel)
        context = tf.matmul(value, probs, transpose_a=True, transpose_b=True)
        context = tf.reshape(context, [-1, self.dim, num_read])  # [B, N * H, X]
        update = tf.matmul(context, kernel, transpose_a=True)  # [B, X, D]
        return tf.reshape(update, [-1, self.dim])

    def _add(self, rows, update, bias):
        if not self.has_repeated:
            return super()._add(rows, update, bias)
        return tf.add_n([update, self.repeated[bias.ref()], rows])

    def _norm(self, rows, norm):
        gamma, beta = self.norms[norm]
        units = self.units if self.has_repeated else None
        return few_kernels_norm(rows, gamma, beta, sublayers.LAYER_NORM_EPSILON, units)

    def _wide(self, rows):
        if not self.is_gelu:
            return super()._wide(rows)
        kernel, bias = self.fc1
        scaled = tf.nn.bias_add(tf.matmul(rows, kernel), bias)
        return scaled * tf.math.erfc(scaled)
