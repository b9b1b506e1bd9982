r"""Splitting text into words as the byte-level tokenizers do, in TensorFlow ops.

The library's regular expression is `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
 ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. RE2 has no `(?!`, and none is needed: whether a word
starts at a character depends on at most four characters around it.
"""

from functools import cache

import numpy as np
import tensorflow as tf
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from tf_led.tokenization.graph.ragged import neighbour, row_index

NUM_CODE_POINTS = 0x110000
OTHER, SPACE, LETTER, NUMBER = range(4)

# Every other plane is unassigned or private.
_PLANES = (0, 1, 2, 3, 14)
_SURROGATES = range(0xD800, 0xE000)
_MARK = "\ue000"


@cache
def character_classes():
    r"""Reads the class of every character from the library's byte-level splitter.

    `\s`, `\p{L}` and `\p{N}` change with the version of Unicode, and RE2's `\s` is
    ASCII alone; the library's own answers cannot differ from what it does.

    Returns:
        uint8[1114112]: OTHER, SPACE, LETTER or NUMBER by code point.
    """
    characters = _characters(_PLANES)
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    classes = np.full(NUM_CODE_POINTS, OTHER, np.uint8)
    # A piece holds characters of one class alone: these two would break that.
    text = "".join(c for c in characters if c not in " '")
    for _, (start, stop) in splitter.pre_tokenize_str(text):
        codes = [ord(character) for character in text[start:stop]]
        classes[codes] = _class_of(splitter, text[start])
    classes[ord(" ")] = SPACE
    return classes


@cache
def whitespace():
    """Finds the characters that a token with `lstrip` absorbs, by trying each.

    Returns:
        str: the characters in a row.
    """
    stripping = AddedToken(_MARK, lstrip=True, normalized=False)
    characters = [c for c in _characters((0,)) if c != _MARK]
    matches = _offsets(stripping, "".join(c + _MARK for c in characters))
    return "".join(characters[start // 2] for start, _ in matches if start % 2 == 0)


@cache
def word_characters():
    """Finds the characters that stop a match with `single_word`, by trying each.

    Returns:
        frozenset of str.
    """
    alone = AddedToken(_MARK, single_word=True, normalized=False)
    characters = [c for c in _characters(_PLANES) if c != _MARK]
    matches = _offsets(alone, "".join(f"{c}{_MARK} " for c in characters))
    free = {characters[start // 3] for start, _ in matches}
    return frozenset(characters) - free


def _characters(planes):
    codes = (code for plane in planes for code in range(plane << 16, (plane + 1) << 16))
    return [chr(code) for code in codes if code not in _SURROGATES]


def _class_of(splitter, character):
    """Two characters of one class stay in one piece."""
    for name, friend in ((LETTER, "a"), (NUMBER, "1"), (OTHER, "!")):
        if len(splitter.pre_tokenize_str(friend + character)) == 1:
            return name
    return SPACE


def _offsets(token, text):
    """Where a tokenizer that knows nothing else finds the token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([token])
    return tokenizer.encode(text).offsets


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
