"""One layer of the encoder."""

import keras
import tensorflow as tf

from tf_led.layers import sublayers
from tf_led.layers.encoder_attention import AttentionOutput, EncoderAttention
from tf_led.layers.sublayers import FeedForwardMixin
from tf_led.ops.dropout import fold_seed

# PyTorch's LED keeps this far from float16's limit.
FLOAT16_MARGIN = 1000


class EncoderLayer(FeedForwardMixin, keras.layers.Layer):
    """Windowed self-attention and a feed-forward network, each with residual and norm.

    Call arguments: as `EncoderAttention`. Returns `AttentionOutput`.

    Args:
        dim: int, D.
        num_heads: int, N.
        radius: int, R.
        ffn_dim: int, F.
        activation: string, a name in `tf_led.ops.activations`.
        dropout_rate: float, after attention and after the feed-forward network.
        attention_dropout: float, on the attention probabilities.
        activation_dropout: float, after the activation.
        init_std: float, standard deviation of the initial kernels.
        attention_implementation: string, see `tf_led.ops.attention`.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        dim,
        num_heads,
        radius,
        ffn_dim,
        *,
        activation="gelu",
        dropout_rate=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        init_std=0.02,
        attention_implementation="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.self_attn = EncoderAttention(
            dim,
            num_heads,
            radius,
            dropout_rate=attention_dropout,
            init_std=init_std,
            attention_implementation=attention_implementation,
            name="self_attn",
            dtype=self.dtype_policy,
        )
        self.self_attn_layer_norm = sublayers.layer_norm(
            "self_attn_layer_norm", self.dtype_policy
        )
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
        self.build_feed_forward()
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
        attention = self.self_attn(
            hidden,
            padding_mask,
            global_mask=global_mask,
            global_tokens=global_tokens,
            head_mask=head_mask,
            seed=fold_seed(seed, 0),
            output_attentions=output_attentions,
        )
        hidden = self.add_and_norm(
            hidden, attention.hidden, self.self_attn_layer_norm, fold_seed(seed, 1)
        )
        hidden = self.feed_forward(hidden, fold_seed(seed, 2))
        return AttentionOutput(_keep_finite(hidden), *attention[1:])


def _keep_finite(hidden):
    if hidden.dtype != tf.float16:
        return hidden
    limit = hidden.dtype.max - FLOAT16_MARGIN
    return tf.clip_by_value(hidden, -limit, limit)
