"""One layer of the decoder."""

from typing import NamedTuple

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.layers.decoder_attention import DecoderAttention, KeyValue
from tf_led.layers.sublayers import FeedForwardMixin
from tf_led.ops.dropout import fold_seed


class DecoderOutput(NamedTuple):
    """Hidden states float[B, T, D] and the probabilities of both attentions."""

    hidden: tf.Tensor
    self_probs: tf.Tensor
    cross_probs: tf.Tensor | None


class DecoderLayer(FeedForwardMixin, keras.layers.Layer):
    """Causal self-attention, cross-attention and a feed-forward network.

    Call arguments: `hidden` float[B, T, D]; `self_keys`, `KeyValue` of all decoder
    tokens so far; `self_attention_mask` bool that broadcasts to [B, N, T, P + T];
    `cross_keys`, `KeyValue` of the document, or None; `cross_attention_mask` bool that
    broadcasts to [B, N, T, S]; `head_mask`, `cross_head_mask` float[N] or None; `seed`
    int32[2] or None for no dropout. Returns `DecoderOutput`.

    Args:
        dim: int, D.
        num_heads: int, N.
        ffn_dim: int, F.
        activation: string, a name in `tf_led.ops.activations`.
        dropout_rate: float, after each attention and the feed-forward network.
        attention_dropout: float, on the attention probabilities.
        activation_dropout: float, after the activation.
        init_std: float, standard deviation of the initial kernels.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        dim,
        num_heads,
        ffn_dim,
        *,
        activation="gelu",
        dropout_rate=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        init_std=0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name in ("self_attn", "encoder_attn"):
            attention = DecoderAttention(
                dim,
                num_heads,
                dropout_rate=attention_dropout,
                init_std=init_std,
                name=name,
                dtype=self.dtype_policy,
            )
            setattr(self, name, attention)
            norm = f"{name}_layer_norm"
            setattr(self, norm, sublayers.layer_norm(norm, self.dtype_policy))
        self.add_feed_forward(
            dim,
            ffn_dim,
            activation=activation,
            dropout_rate=dropout_rate,
            activation_dropout=activation_dropout,
            init_std=init_std,
        )

    def build(self, input_shape=None):
        self.self_attn.build()
        self.self_attn_layer_norm.build((None, None, self.dim))
        self.encoder_attn.build()
        self.encoder_attn_layer_norm.build((None, None, self.dim))
        self.build_feed_forward()
        self.built = True

    def call(
        self,
        hidden,
        self_keys,
        self_attention_mask,
        cross_keys=None,
        cross_attention_mask=None,
        head_mask=None,
        cross_head_mask=None,
        seed=None,
    ):
        update, self_probs = self.self_attn(
            hidden, self_keys, self_attention_mask, head_mask, fold_seed(seed, 0)
        )
        hidden = self.add_and_norm(
            hidden, update, self.self_attn_layer_norm, fold_seed(seed, 1)
        )
        cross_probs = None
        if cross_keys is not None:
            update, cross_probs = self.encoder_attn(
                hidden,
                cross_keys,
                cross_attention_mask,
                cross_head_mask,
                fold_seed(seed, 2),
            )
            hidden = self.add_and_norm(
                hidden, update, self.encoder_attn_layer_norm, fold_seed(seed, 3)
            )
        hidden = self.feed_forward(hidden, fold_seed(seed, 4))
        return DecoderOutput(hidden, self_probs, cross_probs)

    def extend_keys(self, hidden, past):
        """Appends the keys of `hidden` to `past`, a `KeyValue` or None."""
        new = self.self_attn.project(hidden)
        if past is None:
            return new
        return KeyValue(
            *(tf.concat(pair, axis=2) for pair in zip(past, new, strict=True))
        )
