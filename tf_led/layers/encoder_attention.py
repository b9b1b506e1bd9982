"""Windowed and global self-attention of the encoder."""

import functools
from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.ops.attention import get_attention
from tf_led.ops.dropout import fold_seed
from tf_led.ops.global_attention import (
    Projected,
    global_attention,
    no_global_tokens,
    put_tokens,
    take_tokens,
    with_global_tokens,
)


class AttentionOutput(NamedTuple):
    """Result of an attention layer; probabilities are None unless requested."""

    hidden: tf.Tensor
    attention_probs: tf.Tensor | None = None
    global_attention_probs: tf.Tensor | None = None


class EncoderAttention(keras.layers.Layer):
    """Attends to a window of neighbours and to global tokens.

    Global tokens attend to everything through projections of their own, and everything
    attends to them (arXiv 2004.05150, section 3.1).

    Call arguments: `hidden` float[B, S, D]; `padding_mask` bool[B, S], True for real
    tokens; `global_mask` bool[B, S] or None, True for global tokens that are not
    padding; `global_tokens`, the `GlobalTokens` of `global_mask`, or None to find them
    here, which cannot be had with probabilities; `head_mask` float[N] or None; `seed`
    int32[2] or None for no dropout; `output_attentions` bool. Returns
    `AttentionOutput`, `attention_probs` float[B, N, S, G + 2R + 1] and
    `global_attention_probs` float[B, N, S, G], both before dropout.

    Args:
        dim: int, D.
        num_heads: int, N; divides `dim`.
        radius: int >= 1, R, positions seen on either side.
        dropout_rate: float, fraction of the attention probabilities dropped.
        init_std: float, standard deviation of the initial kernels.
        attention_implementation: string, see `tf_led.ops.attention`.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: if `num_heads` does not divide `dim`, or on an implementation that
            is not known.
    """

    def __init__(
        self,
        dim,
        num_heads,
        radius,
        *,
        dropout_rate=0.0,
        init_std=0.02,
        attention_implementation="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        sublayers.check_heads(dim, num_heads)
        self.dim = dim
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.radius = radius
        self.dropout_rate = dropout_rate
        self.local_attention = get_attention(attention_implementation)
        for name in (
            "query",
            "key",
            "value",
            "query_global",
            "key_global",
            "value_global",
            "output_proj",
        ):
            setattr(self, name, sublayers.dense(dim, init_std, name, self.dtype_policy))

    def build(self, input_shape=None):
        local = [self.query, self.key, self.value]
        over_all = [self.query_global, self.key_global, self.value_global]
        for projection in (*local, *over_all, self.output_proj):
            projection.build((None, None, self.dim))
        self.built = True

    def call(
        self,
        hidden,
        padding_mask,
        global_mask=None,
        global_tokens=None,
        head_mask=None,
        seed=None,
        output_attentions=False,
    ):
        attend = functools.partial(
            self._attend,
            padding_mask=padding_mask,
            global_mask=global_mask,
            seed=seed,
            output_attentions=output_attentions,
        )
        local = [
            sublayers.split_heads(sublayers.project(projection, hidden), self.num_heads)
            for projection in (self.query, self.key, self.value)
        ]  # [B, S, N, H] each
        weights = self._split_weights(global_mask is not None, seed is not None)
        tensors = [hidden, *local, *weights]
        if global_mask is None:
            context, *probs = attend(no_global_tokens(padding_mask), *tensors)
        elif global_tokens is not None:
            context, *probs = attend(global_tokens, *tensors)
        else:
            context, *probs = (
                with_global_tokens(
                    global_mask, lambda *arguments: attend(*arguments)[0], tensors
                ),
                None,
                None,
            )
        context = sublayers.merge_heads(sublayers.scale_heads(context, head_mask))
        probs = [sublayers.scale_probs(p, head_mask) for p in probs]
        return AttentionOutput(sublayers.project(self.output_proj, context), *probs)

    def _split_weights(self, with_global, with_local):
        """Kernels and biases of keys and values and of the three global projections."""
        layers = [self.key, self.value] if with_local else []
        if with_global:
            layers += [self.query_global, self.key_global, self.value_global]
        return [
            weight
            for layer in layers
            for weight in split_dense_kernel(layer, self.num_heads)
        ]

    def _attend(
        self,
        global_tokens,
        hidden,
        query,
        key,
        value,
        *weights,
        padding_mask,
        global_mask,
        seed,
        output_attentions,
    ):
        """Context of all tokens [B, S, N, H]; both probabilities, or None."""
        is_local = padding_mask if global_mask is None else padding_mask & ~global_mask
        rows = take_tokens(hidden, global_tokens)
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        if seed is None:
            of_global = pairs
            taken = [take_tokens(tensor, global_tokens) for tensor in (key, value)]
        else:
            # Projected again: a gradient of taking them from `key` would keep `key`.
            taken = [Projected(rows, *pair).compute() for pair in pairs[:2]]
            of_global = pairs[2:]
        options = {
            "scale": self.head_dim**-0.5,
            "dropout_rate": self.dropout_rate,
            "output_attentions": output_attentions,
        }
        context, probs = self.local_attention(
            query,
            key,
            value,
            global_key=taken[0],
            global_value=taken[1],
            query_mask=is_local,
            key_mask=is_local,
            global_key_mask=global_tokens.mask,
            radius=self.radius,
            seed=fold_seed(seed, 0),
            **options,
        )
        if global_mask is None:
            return context, probs, None
        of_query, of_key, of_value = of_global
        rows, global_probs = global_attention(
            Projected(rows, *of_query).compute(),
            Projected(hidden, *of_key),
            Projected(hidden, *of_value),
            attention_mask=padding_mask,
            seed=fold_seed(seed, 1),
            **options,
        )
        context = put_tokens(context, rows, global_tokens)
        if not output_attentions:
            return context, None, None
        global_probs = tf.transpose(global_probs, [0, 1, 3, 2])  # [B, N, S, G]
        is_used = global_tokens.mask[:, None, None, :]
        zero = tf.zeros([], probs.dtype)
        return context, probs, tf.where(is_used, global_probs, zero)


def split_dense_kernel(layer, num_heads):
    """Returns kernel float[D, N, H] and bias float[N, H] of a built Dense layer."""
    dim = layer.input_spec.axes[-1]
    shape = [num_heads, layer.units // num_heads]
    kernel = layer.kernel
    if layer.quantization_mode is not None:
        # The kernel of a quantised layer lacks its scale; the layer itself knows it.
        kernel = layer(tf.eye(dim, dtype=layer.compute_dtype)) - layer.bias
    return tf.reshape(kernel, [dim, *shape]), tf.reshape(layer.bias, shape)
