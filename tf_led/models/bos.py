"""A remedy for what bart-large left in its descendants."""

from numbers import Real

import tensorflow as tf

from tf_led.models.editing import EditingMixin, check_plain


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
