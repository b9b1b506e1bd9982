"""The sublayers that all layers share: dense, norms, heads, the two-layer network."""

import functools

import keras
import tensorflow as tf

from tf_led.layers.initializers import Normal, Zeros
from tf_led.ops.activations import activated_product, get_activation
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.layer_norm import residual_norm
from tf_led.ops.tensor_utils import matrix_product
from tf_led.utils.bfloat16 import rounds_factors

LAYER_NORM_EPSILON = 1e-5


def dense(units, init_std, name, dtype):
    """A projection initialised as PyTorch's LED: normal kernel, zero bias."""
    return keras.layers.Dense(
        units,
        kernel_initializer=Normal(init_std),
        bias_initializer=Zeros(),
        name=name,
        dtype=dtype,
    )


def on_rows(function, hidden):
    """Runs `function`, [rows, D] -> [rows, E], on all tokens: [B, S, D] -> [B, S, E].

    TensorFlow fuses a product with the bias and the GELU after it only where it has two
    axes; in bfloat16 that halves the time of the feed-forward network.
    """
    shape = tf.shape(hidden)
    rows = function(tf.reshape(hidden, [-1, hidden.shape[-1]]))
    merged = tf.reshape(rows, [shape[0], shape[1], rows.shape[-1]])
    return tf.ensure_shape(merged, [*hidden.shape[:2], None])


def project(layer, hidden):
    """Runs a dense layer on all tokens: [B, S, D] -> [B, S, E]."""
    return on_rows(lambda rows: project_rows(layer, rows), hidden)


def project_rows(layer, rows):
    """Runs a dense layer, [rows, D] -> [rows, E], with rounded factors if so asked."""
    if not rounds_factors(rows.dtype) or layer.quantization_mode is not None:
        return layer(rows)
    kernel, bias = (tf.convert_to_tensor(x) for x in (layer.kernel, layer.bias))
    return tf.nn.bias_add(matrix_product(rows, kernel), bias)


def layer_norm(name, dtype):
    """A LayerNorm with LED's epsilon; Keras' own default is another."""
    return keras.layers.LayerNormalization(
        epsilon=LAYER_NORM_EPSILON, name=name, dtype=dtype
    )


def split_heads(tensor, num_heads):
    """[B, S, D] -> [B, S, N, H]."""
    shape = tf.shape(tensor)
    head_dim = tensor.shape[-1] // num_heads
    return tf.reshape(tensor, [shape[0], shape[1], num_heads, head_dim])


def merge_heads(tensor):
    """[B, S, N, H] -> [B, S, D]."""
    shape = tf.shape(tensor)
    merged = tf.reshape(tensor, [shape[0], shape[1], tensor.shape[2] * tensor.shape[3]])
    return tf.ensure_shape(merged, [*tensor.shape[:2], None])


def scale_heads(context, head_mask):
    """Scales every head of [B, S, N, H] by head_mask float[N]; None leaves it."""
    if head_mask is None:
        return context
    return context * tf.cast(head_mask, context.dtype)[:, None]


def scale_probs(probs, head_mask):
    """Scales every head of [B, N, S, K], or of None, by head_mask float[N]."""
    if head_mask is None or probs is None:
        return probs
    return probs * tf.cast(head_mask, probs.dtype)[:, None, None]


def check_heads(dim, num_heads):
    """Raises ValueError if the heads do not divide the model dimension."""
    if dim % num_heads:
        raise ValueError(
            f"`d_model` {dim} is not a multiple of the number of attention heads, "
            f"{num_heads}. Choose heads that divide it."
        )


class FeedForwardMixin:
    """Gives a layer `fc1`, `fc2` and `final_layer_norm`, and post-norm residuals."""

    def add_feed_forward(
        self, dim, ffn_dim, *, activation, dropout_rate, activation_dropout, init_std
    ):
        """Creates the sublayers; called from `__init__`."""
        self.dim = dim
        self.ffn_dim = ffn_dim
        self.activation = get_activation(activation)
        self.dropout_rate = dropout_rate
        self.activation_dropout = activation_dropout
        policy = self.dtype_policy
        self.fc1 = dense(ffn_dim, init_std, "fc1", policy)
        self.fc2 = dense(dim, init_std, "fc2", policy)
        self.final_layer_norm = layer_norm("final_layer_norm", policy)

    def build_feed_forward(self):
        """Builds the sublayers; called from `build`."""
        self.fc1.build((None, None, self.dim))
        self.fc2.build((None, None, self.ffn_dim))
        self.final_layer_norm.build((None, None, self.dim))

    def add_and_norm(self, residual, update, norm, seed):
        """Returns norm(residual + dropout(update)), [B, S, D]."""
        if seed is None:
            return norm(residual + update)
        return residual_norm(
            residual,
            update,
            tf.convert_to_tensor(norm.gamma),
            tf.convert_to_tensor(norm.beta),
            epsilon=norm.epsilon,
            dropout_rate=self.dropout_rate,
            seed=seed,
        )

    def feed_forward(self, hidden, seed):
        """Maps [B, S, D] to [B, S, D] through the wide layer, residual and norm."""
        update = on_rows(lambda rows: self._two_layers(rows, seed), hidden)
        return self.add_and_norm(
            hidden, update, self.final_layer_norm, fold_seed(seed, 1)
        )

    def _two_layers(self, rows, seed):
        wide = project_rows(self.fc1, rows)
        if seed is None or self.fc2.quantization_mode is not None:
            return project_rows(self.fc2, self._activate(wide, seed))
        return activated_product(
            wide,
            tf.convert_to_tensor(self.fc2.kernel),
            tf.convert_to_tensor(self.fc2.bias),
            functools.partial(self._activate, seed=seed),
        )

    def _activate(self, wide, seed):
        wide = self.activation(wide)
        return dropout(wide, self.activation_dropout, fold_seed(seed, 0))
