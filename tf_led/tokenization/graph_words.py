r"""Splitting text into words as the byte-level tokenizers do, in TensorFlow ops.

The library's regular expression is `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
 ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. RE2 has no `(?!`, and none is needed: whether a word
starts at a character depends on at most four characters around it.
"""

import numpy as np
import tensorflow as tf

from .graph_flat import neighbour, row_index
from .graph_unicode import NUM_CODE_POINTS, SPACE, character_classes

# Before the first and after the last character of a text.
EDGE = 4
_PAGE = 256


class WordSplitter(tf.Module):
    """Cuts texts into the words that byte-level BPE is done in."""

    def __init__(self):
        super().__init__()
        # Most pages of 256 characters are alike: 4 of 5 need not be stored.
        pages, rows = unique_pages(character_classes())
        self._pages = tf.constant(pages)
        self._rows = tf.constant(rows)

    def __call__(self, texts):
        """Splits texts.

        Args:
            texts: string[P], valid UTF-8.

        Returns:
            (words, text_idx): string[W], the words of all texts in order, and int64[W],
            the text that each is from. Joined together, a text's words are the text.
        """
        characters = tf.strings.unicode_decode(texts, "UTF-8")
        codes = characters.flat_values  # [C]
        text_idx = row_index(characters)
        starts = tf.where(self._starts(codes, text_idx))[:, 0]
        size = tf.size(codes, tf.int64)
        words = tf.RaggedTensor.from_row_splits(
            codes, tf.concat([starts, [size]], 0), validate=False
        )
        encoded = tf.strings.unicode_encode(words, "UTF-8")
        return encoded, tf.gather(text_idx, starts)

    def _starts(self, codes, text_idx):
        """Marks the characters that a word starts with: bool[C]."""
        kinds = self._classes(codes)
        before = neighbour(kinds, text_idx, -1, EDGE)
        after = neighbour(kinds, text_idx, 1, EDGE)
        previous = neighbour(codes, text_idx, -1, 0)
        is_space = kinds == SPACE
        # Of several spaces the last goes with what follows, if anything does.
        leaves = is_space & (after != SPACE) & (after != EDGE)
        joins = ~is_space & (previous == ord(" "))
        starts = (kinds != before) & ~joins | leaves & (before == SPACE)
        return with_contractions(starts, codes, kinds, previous, text_idx)

    def _classes(self, codes):
        rows = tf.gather(self._rows, codes // _PAGE)
        return tf.gather(self._pages, rows * _PAGE + codes % _PAGE)


def with_contractions(starts, codes, kinds, previous, text_idx):
    """Makes words of their own of 's, 't, 'm, 'd, 're, 've and 'll."""
    # Elsewhere the apostrophe belongs to what precedes it.
    is_apostrophe = (codes == ord("'")) & starts
    first = neighbour(codes, text_idx, 1, 0)
    second = neighbour(codes, text_idx, 2, 0)
    is_short = is_apostrophe & is_one_of(first, "stmd")
    is_long = is_apostrophe & (
        is_one_of(first, "rv") & is_one_of(second, "e")
        | is_one_of(first, "l") & is_one_of(second, "l")
    )
    starts &= ~neighbour(is_short | is_long, text_idx, -1, False)
    starts |= neighbour(is_short, text_idx, -2, False)
    return starts | neighbour(is_long, text_idx, -3, False)


def is_one_of(codes, characters):
    return tf.reduce_any([codes == ord(character) for character in characters], 0)


def unique_pages(classes):
    pages, rows = np.unique(
        classes.reshape(NUM_CODE_POINTS // _PAGE, _PAGE), axis=0, return_inverse=True
    )
    return pages.reshape(-1).astype(np.int32), rows.reshape(-1).astype(np.int32)
