"""A remedy for what bart-large left in its descendants."""

import tensorflow as tf

from tf_led.models.editing import check_plain


class BosMixin:
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
        if isinstance(stddev, bool) or not stddev > 0:
            raise ValueError(f"`stddev` must be above 0, got {stddev!r}.")
        bos = self.config.bos_token_id
        if bos is None or not 0 <= bos < self.config.vocab_size:
            raise ValueError(
                f"The config's `bos_token_id` is {bos!r}, no token of "
                f"{self.config.vocab_size}."
            )
        embedding = self.get_input_embeddings()
        check_plain(embedding, "The token embedding")
        table = embedding._embeddings
        generator = tf.random.Generator.from_seed(seed) if seed is not None else None
        draw = tf.random.normal if generator is None else generator.normal
        noise = draw([1, table.shape[1]], stddev=stddev)
        noise = tf.cast(noise, table.dtype)
        table.assign(
            tf.tensor_scatter_nd_add(tf.convert_to_tensor(table), [[bos]], noise)
        )
