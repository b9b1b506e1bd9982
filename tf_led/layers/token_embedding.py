"""The token embedding, which is also the output projection."""

import keras
import tensorflow as tf

from tf_led.layers.initializers import Normal, is_blank


class TokenEmbedding(keras.layers.ReversibleEmbedding):
    """Looks up tokens; with `reverse=True` scores every token of the vocabulary.

    Looking up padding gives its row but trains nothing, as PyTorch's `padding_idx`.

    Args:
        vocab_size: int, V.
        dim: int, D.
        pad_token_id: int or None.
        init_std: float, standard deviation of the initial values; padding starts at 0.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, vocab_size, dim, *, pad_token_id, init_std=0.02, **kwargs):
        super().__init__(
            vocab_size,
            dim,
            embeddings_initializer=_PaddedNormal(init_std, pad_token_id),
            **kwargs,
        )
        self.pad_token_id = pad_token_id

    def call(self, inputs, reverse=False):
        if reverse:
            # Not `super()`: it transposes the whole table at every call.
            flat = tf.reshape(inputs, [-1, self.output_dim])
            flat = tf.cast(flat, self.compute_dtype)
            table = tf.cast(self.embeddings, self.compute_dtype)
            logits = tf.matmul(flat, table, transpose_b=True)
            shape = tf.concat([tf.shape(inputs)[:-1], [self.input_dim]], axis=0)
            logits = tf.reshape(logits, shape)
            return tf.ensure_shape(logits, [*inputs.shape[:-1], self.input_dim])
        embeds = super().call(inputs)
        if self.pad_token_id is None:
            return embeds
        return _stop_gradient_where(embeds, (inputs == self.pad_token_id)[..., None])

    def quantize(self, mode=None, type_check=True, config=None):
        """Turns the table into integers, a scale for each row; for inference only.

        Args:
            mode: "int8".
            type_check: bool, not asked: what this class adds is for training.
            config: of `keras.layers.Layer.quantize`, or None.

        Raises:
            ValueError: on another mode.
        """
        del type_check
        if mode != "int8":
            raise ValueError(
                f"`mode` is {mode!r}; a token embedding can be quantised to 'int8'."
            )
        super().quantize(mode, type_check=False, config=config)


@tf.custom_gradient
def _stop_gradient_where(tensor, stopped):
    def grad(upstream):
        return tf.where(stopped, tf.zeros([], upstream.dtype), upstream), None

    return tensor, grad


class _PaddedNormal(Normal):
    """Normal values with a row of zeros for padding."""

    def __init__(self, stddev, pad_token_id):
        super().__init__(stddev=stddev)
        self.pad_token_id = pad_token_id

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype)
        if self.pad_token_id is None or is_blank():
            return values
        is_pad = tf.range(shape[0])[:, None] == self.pad_token_id
        return tf.where(is_pad, tf.zeros([], values.dtype), values)
