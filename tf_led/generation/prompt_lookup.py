"""Drafts of the next tokens, looked up in the document and in what was written."""

import tensorflow as tf

from tf_led.ops.control_flow import on_host

DEFAULT_NGRAM_SIZE = 2


class PromptLookup:
    """Finds where the last tokens occurred before, and proposes what followed there.

    The longest match decides; of equally long ones the first in the document, then the
    first in what was written. A wrong draft costs a little time and changes no token:
    the loop goes on only with what it would have chosen without.

    Args:
        num_tokens: int, how many tokens to propose.
        document_ids: int32[B, S], or None where only embeddings are known.
        max_ngram_size: int, how many of the last tokens have to agree at most.

    Source: prompt lookup decoding; in transformers 5.23
    `PromptLookupCandidateGenerator`, which looks into the decoder's tokens alone.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.prompt_lookup import PromptLookup
        >>> drafts = PromptLookup(2, document_ids=tf.constant([[0, 5, 7, 9, 2]]))
        >>> proposed, _ = drafts.propose(tf.constant([[[2, 5, 7, 0]]]), tf.constant(2))
        >>> proposed.numpy()
        array([[[9, 2]]], dtype=int32)
    """

    def __init__(
        self, num_tokens, *, document_ids=None, max_ngram_size=DEFAULT_NGRAM_SIZE
    ):
        self.num_tokens = num_tokens
        self._document_ids = document_ids
        self._max_ngram_size = max_ngram_size

    def start(self, tokens, beam_history, token_mask, prompt_len):
        """Returns (): nothing is kept from one step to the next."""
        return ()

    def propose(self, tokens, index, kept=()):
        """Proposes tokens for the positions after `index`.

        Args:
            tokens: int32[B, K, T], the sequences.
            index: int32[], the position of their last known token.
            kept: what `start` returned.

        Returns:
            int32[B, K, num_tokens], and `kept`.
        """
        with on_host():
            return self._look_up(tokens, index), kept

    def _look_up(self, tokens, index):
        length, num_written = index + 1, tf.shape(tokens)[2]
        is_written = tf.range(num_written) < length
        matches = tf.where(is_written, self._match(tokens, tokens, length), 0)
        texts = tokens
        if self._document_ids is not None:
            document = tf.tile(self._document_ids[:, None], [1, tokens.shape[1], 1])
            in_document = self._match(document, tokens, length)
            matches = tf.concat([in_document, matches], axis=2)
            texts = tf.concat([document, tokens], axis=2)
        start = tf.argmax(matches, axis=2, output_type=tf.int32)  # [B, K]
        place = start[..., None] + tf.range(self.num_tokens)
        place = tf.minimum(place, tf.shape(texts)[2] - 1)
        return tf.gather(texts, place, axis=2, batch_dims=2)

    def _match(self, text, tokens, length):
        """Counts how many tokens before each place of a text are the last of a row.

        Args:
            text: int32[B, K, L].
            tokens: int32[B, K, T].
            length: int32[], how many of `tokens` are known.

        Returns:
            int32[B, K, L], at most `max_ngram_size`.
        """
        place = tf.range(tf.shape(text)[2])
        fits = tf.fill(tf.shape(text), True)
        count = tf.zeros_like(text)
        for size in range(1, self._max_ngram_size + 1):
            expected = tf.gather(tokens, [tf.maximum(length - size, 0)], axis=2)
            fits &= tf.roll(text, size, axis=2) == expected
            fits &= (place >= size) & (length >= size)
            count += tf.cast(fits, tf.int32)
        return count
