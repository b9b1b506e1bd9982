"""A remedy for what bart-large left in its descendants."""

from numbers import Real

import numpy as np
import tensorflow as tf

from tf_led.models.pretrained.editing import (
    EditingMixin,
    as_size,
    check_optimizer,
    check_plain,
    replace_weight,
    resize_embedding,
    resize_rows,
)


class BosMixin(EditingMixin):
    """Mends the embedding of `<s>`."""

    def perturb_bos_embedding(self, stddev=None, seed=None):
        """Adds noise to the embedding of the token `<s>`, to be trained after that.

        Models that come of bart-large, led-large among them, can learn to write
        `</s><s><s><s>` without end, and their loss on held-out texts stays high: the
        embedding that the pretraining left for `<s>` is at fault. With a little noise
        on it such models train as they should. Use it once, before `fit`; the weights
        of all other tokens stay as they are.

        Args:
            stddev: float above 0, of the noise; None for the config's `init_std`.
            seed: int that repeats the noise, or None.

        Raises:
            ValueError: if `stddev` is not above 0, if the config has no `bos_token_id`
                below its `vocab_size`, or if the embedding is quantised or has LoRA
                weights.

        Source: the cause and the remedy were found by a user of transformers (issue
        15559 of its repository).

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.perturb_bos_embedding(seed=0)
        """
        stddev = self.config.init_std if stddev is None else stddev
        is_number = isinstance(stddev, Real) and not isinstance(stddev, bool)
        if not (is_number and stddev > 0):
            raise ValueError(f"`stddev` must be above 0, got {stddev!r}.")
        bos = self.config.bos_token_id
        if bos is None or not 0 <= bos < self.config.vocab_size:
            raise ValueError(
                f"The config's `bos_token_id` is {bos!r}, no token of "
                f"{self.config.vocab_size}."
            )
        tables, head = self._token_tables(), getattr(self, "lm_head", None)
        for layer in (*tables, *filter(None, [head])):
            check_plain(layer, "The token embedding")
        draw = _normal(seed)
        for table in tables:
            noise = draw([1, self.config.d_model], stddev=stddev)
            _add_to_row(table._embeddings, bos, noise)
        if head is not None:
            noise = draw([self.config.d_model, 1], stddev=stddev)
            is_bos = tf.range(self.config.vocab_size)[None] == bos
            noise = tf.where(is_bos, noise, 0.0)  # [D, V]
            head._kernel.assign_add(tf.cast(noise, head._kernel.dtype))


def _normal(seed):
    if seed is None:
        return tf.random.normal
    return tf.random.Generator.from_seed(seed).normal


def _add_to_row(table, row, noise):
    values = tf.convert_to_tensor(table)
    noise = tf.cast(noise, values.dtype)
    table.assign(tf.tensor_scatter_nd_add(values, [[row]], noise))


# New rows spread this little around the mean: enough to tell them apart.
VARIANCE_SCALE = 1e-9
SPECIAL_IDS = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
)


class ResizeMixin(EditingMixin):
    """Changes the vocabulary of a model."""

    def resize_token_embeddings(
        self, new_num_tokens=None, pad_to_multiple_of=None, mean_resizing=True
    ):
        """Gives the vocabulary another size, V', keeping the first tokens' weights.

        Encoder, decoder and output projection go on sharing one table; with
        `tie_word_embeddings=False` each keeps its own. The bias on the logits gets
        zeros. The model gets a new config with `vocab_size` V'; the old
        config object stays as it is. What the model has compiled (`fit`, `predict`,
        `generate`, `serving`) is compiled anew; a `tf.function` of your own that was
        traced before fails from now on: make it again. So does a reference to the old
        table.

        Args:
            new_num_tokens: int, V'; None for the present size.
            pad_to_multiple_of: int or None. V' is rounded up to a multiple of it.
            mean_resizing: bool. True draws new rows close to the mean of the old ones,
                with their covariance times 1e-9, so that new tokens hardly change the
                probabilities of the others; False draws them as a new model does.
                `tf.random.set_seed` makes either repeat.

        Returns:
            The token embedding, as `get_input_embeddings()`.

        Raises:
            ValueError: if V' is no positive int or would cut off a special token; if
                the embedding is quantised or has LoRA weights; or if the model was
                compiled with an optimizer that holds state for the old table.

        Source: transformers 5.23, method of this name.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.resize_token_embeddings(31).embeddings.shape
            TensorShape([31, 12])
            >>> model.config.vocab_size
            31
        """
        embedding = self.get_input_embeddings()
        old_size = embedding.input_dim
        new_size = _round_up(
            as_size(new_num_tokens, "new_num_tokens", default=old_size),
            as_size(pad_to_multiple_of, "pad_to_multiple_of", default=1),
        )
        if new_size == old_size:
            return embedding
        _check_special_ids(self.config, new_size)
        tables, head = self._token_tables(), getattr(self, "lm_head", None)
        for table in tables:
            check_plain(table, "The token embedding")
        if head is not None:
            check_plain(head, "The output projection")
        check_optimizer(getattr(self, "optimizer", None))
        with self.distribute_strategy.scope():
            draw = _draw_around_mean if mean_resizing else self._draw_as_new
            for table in tables:
                resize_embedding(table, new_size, draw)
            if head is not None:
                _resize_head(head, new_size, draw)
            if self.get_bias() is not None:
                _resize_bias(self, new_size)
        self._forget_compiled()
        self._take_config(vocab_size=new_size)
        return embedding

    def _draw_as_new(self, values, num_rows):
        shape = [num_rows, values.shape[1]]
        return tf.random.normal(shape, stddev=self.config.init_std)


def _resize_head(head, new_size, draw):
    old = head._kernel
    values = tf.transpose(tf.convert_to_tensor(old.value))  # [V, D]
    head.units = new_size
    head.built = False
    replace_weight(head, old, lambda: head.build((None, values.shape[1])))
    head._kernel.trainable = old.trainable
    head._kernel.assign(tf.transpose(resize_rows(values, new_size, draw)))


def _resize_bias(model, new_size):
    old = model.final_logits_bias
    values = tf.convert_to_tensor(old.value)[0]
    replace_weight(model, old, lambda: model._add_bias(new_size))
    values = resize_rows(values, new_size, lambda _, num_added: tf.zeros([num_added]))
    model.final_logits_bias.assign(values[None])


def _draw_around_mean(values, num_rows):
    """Rows with the mean of `values` [V, D] and `VARIANCE_SCALE` of its covariance."""
    values = np.asarray(values).astype("float32")
    mean = values.mean(axis=0)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    spread = axes * np.sqrt(VARIANCE_SCALE * variances.clip(0))  # [D, D]
    noise = tf.random.normal([num_rows, len(mean)])
    return mean + tf.matmul(noise, spread, transpose_b=True)


def _round_up(size, multiple):
    return -(-size // multiple) * multiple


def _check_special_ids(config, new_size):
    for name in SPECIAL_IDS:
        ids = getattr(config, name, None)
        ids = ids if isinstance(ids, (list, tuple)) else [ids]
        for token_id in ids:
            if token_id is not None and token_id >= new_size:
                raise ValueError(
                    f"`new_num_tokens` {new_size} would cut off token {token_id}, the "
                    f"config's `{name}`. Keep at least {token_id + 1} tokens."
                )
