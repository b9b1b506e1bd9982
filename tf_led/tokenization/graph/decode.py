"""From ids back to text, in TensorFlow ops."""

import re

import numpy as np
import tensorflow as tf

from tf_led.tokenization.fast_compat import FastCompat
from tf_led.tokenization.graph.ragged import row_index, shift
from tf_led.tokenization.graph.tables import token_bytes

# What `clean_up_tokenization` of transformers replaces, in its order.
_CLEANED = (
    *((f" {mark}", mark) for mark in ".?!,"),
    (" ' ", "'"),
    *((f" {ending}", ending) for ending in ("n't", "'m", "'s", "'ve", "'re")),
)


class GraphDecoder(tf.Module):
    """Turns rows of ids into texts, as the tokenizer that it is made of."""

    def __init__(self, tokenizer):
        super().__init__()
        tokens = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=True)
        self._size = max(tokens.values(), default=0) + 1
        pieces = [b""] * self._size
        for token, token_id in tokens.items():
            pieces[token_id] = token_bytes(token)
        self._pieces = tf.constant(pieces, tf.string, [self._size])
        compat = getattr(tokenizer, "_compat", None) or FastCompat(tokenizer)
        self._is_special = tf.constant(self._marks(compat.skipped_ids()))
        self._is_spaced = tf.constant(self._marks(compat.spaced_ids()))

    def _marks(self, ids):
        return np.isin(np.arange(self._size), list(ids))

    def __call__(self, ids, skip_special_tokens, clean_up):
        """Decodes ids, an integer [B, T] or ragged [B, (T)], to string[B]."""
        num_rows = tf.shape(ids, tf.int64)[0]
        if not isinstance(ids, tf.RaggedTensor):
            ids = tf.RaggedTensor.from_tensor(ids)
        row, ids = row_index(ids), tf.cast(ids.flat_values, tf.int64)
        check = tf.debugging.assert_non_negative(
            ids, "`ids` must not be negative: put the pad token's id in place of -100."
        )
        with tf.control_dependencies([check] if check is not None else []):
            kept = tf.where(self._is_kept(ids, skip_special_tokens))[:, 0]
        pieces = self._spaced(tf.gather(ids, kept), tf.gather(row, kept))
        texts = tf.strings.unsorted_segment_join(pieces, tf.gather(row, kept), num_rows)
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        return cleaned(texts) if clean_up else texts

    def _is_kept(self, ids, skip_special_tokens):
        """Ids beyond the vocabulary stand for nothing, as in the library."""
        is_known = ids < self._size
        known = tf.where(is_known, ids, 0)
        is_kept = is_known & (tf.gather(self._pieces, known) != b"")
        if skip_special_tokens:
            is_kept &= ~tf.gather(self._is_special, known)
        return is_kept

    def _spaced(self, ids, row):
        """Puts a space on both sides of added tokens, where the tokenizer does."""
        pieces = tf.gather(self._pieces, ids)
        is_spaced = tf.gather(self._is_spaced, ids)
        needs_space = is_spaced | shift(is_spaced, -1, False)
        needs_space &= shift(row, -1, -1) == row
        return tf.where(needs_space, tf.strings.join([" ", pieces]), pieces)


def cleaned(texts):
    for found, wanted in _CLEANED:
        texts = tf.strings.regex_replace(texts, re.escape(found), wanted)
    return texts
