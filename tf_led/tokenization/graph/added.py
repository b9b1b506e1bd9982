"""Finding added and special tokens inside text, in TensorFlow ops."""

import re
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_led.tokenization.graph.ragged import row_index, shift
from tf_led.tokenization.graph.words import whitespace, word_characters

_TEXT = -1
# In valid UTF-8 there is no such byte.
_BORDER = b"\xff"
_NUM_BUCKETS = 2**62


@dataclass(frozen=True)
class Pieces:
    """Texts in pieces: string[P], the row of each, and its id, -1 for plain text."""

    text: tf.Tensor
    row: tf.Tensor
    token_id: tf.Tensor


def whole_texts(texts):
    """Each text in one piece."""
    rows = tf.range(tf.size(texts, tf.int64))
    return Pieces(texts, rows, tf.fill(tf.shape(texts), _TEXT))


class AddedTokens(tf.Module):
    """Cuts texts at added tokens: first those with `normalized=False`, then the rest.

    The leftmost match counts, and the longest of those. `single_word` rejects a match
    that touches a word; `lstrip` and `rstrip` absorb the spaces beside it.
    """

    def __init__(self, tokens):
        """Reads the tokens: a dict of AddedToken by id."""
        super().__init__()
        levels = [{}, {}]
        for token_id, token in tokens.items():
            levels[bool(token.normalized)][token_id] = token
        self._levels = [Level(level) for level in levels if level]

    def __call__(self, texts):
        """Cuts texts, string[B] of valid UTF-8, into Pieces; none of them is empty."""
        pieces = whole_texts(texts)
        for level in self._levels:
            pieces = level(pieces)
        return chosen(pieces, tf.strings.length(pieces.text) > 0)


class Level(tf.Module):
    """The added tokens that are looked for at the same time."""

    def __init__(self, tokens):
        super().__init__()
        check_tokens(tokens.values())
        contents = [token.content.encode("utf-8") for token in tokens.values()]
        ordered = sorted(contents, key=len, reverse=True)
        self._pattern = b"|".join(escaped(content) for content in ordered)
        hashes = tf.strings.to_hash_bucket_fast(contents, _NUM_BUCKETS).numpy()
        order = np.argsort(hashes)
        self._hashes = tf.constant(hashes[order])
        self._ids = tf.constant(np.array(list(tokens), np.int32)[order])
        flags = {
            name: np.array([getattr(token, name) for token in tokens.values()])[order]
            for name in ("lstrip", "rstrip", "single_word")
        }
        # A flag that no token has costs nothing.
        self._flags = {n: tf.constant(flag) for n, flag in flags.items() if flag.any()}

    def __call__(self, pieces):
        """Cuts the pieces that are text."""
        is_text = pieces.token_id == _TEXT
        marked = tf.strings.regex_replace(
            pieces.text, self._pattern, _BORDER + rb"\0" + _BORDER
        )
        marked = tf.where(is_text, marked, pieces.text)
        parts = tf.strings.split(marked, _BORDER)
        piece = row_index(parts)
        # Text and matches take turns.
        turn = tf.range(tf.size(piece, tf.int64)) - tf.gather(parts.row_starts(), piece)
        is_match = turn % 2 == 1
        text = parts.flat_values
        token_idx = tf.searchsorted(
            self._hashes, tf.strings.to_hash_bucket_fast(text, _NUM_BUCKETS)
        )
        token_idx = tf.minimum(token_idx, tf.size(self._ids) - 1)
        if "single_word" in self._flags:
            is_match, text, piece, token_idx = self._alone(
                is_match, text, piece, token_idx
            )
        text = self._stripped(is_match, text, piece, token_idx)
        token_id = tf.gather(pieces.token_id, piece)
        token_id = tf.where(is_match, tf.gather(self._ids, token_idx), token_id)
        return Pieces(text, tf.gather(pieces.row, piece), token_id)

    def _alone(self, is_match, text, piece, token_idx):
        """Turns matches that touch a word back into text."""
        word = ranges(word_characters())
        begins = tf.strings.regex_full_match(text, f"(?s)[{word}].*")
        ends = tf.strings.regex_full_match(text, f"(?s).*[{word}]")
        touches = beside(ends, text, piece, -1) | beside(begins, text, piece, 1)
        is_rejected = touches & tf.gather(self._flags["single_word"], token_idx)
        is_match &= ~is_rejected
        # What is left of a row is text, match, text, match and so on once more.
        is_new = is_match | shift(is_match, -1, True) | (shift(piece, -1, -1) != piece)
        group = tf.cumsum(tf.cast(is_new, tf.int32)) - 1
        first = tf.where(is_new)[:, 0]
        text = tf.strings.unsorted_segment_join(text, group, tf.size(first))
        return (tf.gather(is_match, first), text, *gathered(first, piece, token_idx))

    def _stripped(self, is_match, text, piece, token_idx):
        """Removes the spaces that neighbouring matches absorb."""
        spaces = f"[{ranges(whitespace())}]+"
        for name, offset, pattern in (
            ("lstrip", 1, spaces + "$"),
            ("rstrip", -1, "^" + spaces),
        ):
            if name in self._flags:
                takes = is_match & tf.gather(self._flags[name], token_idx)
                takes = shift(takes, offset, False)
                takes &= (shift(piece, offset, -1) == piece) & ~is_match
                bare = tf.strings.regex_replace(text, pattern, "")
                text = tf.where(takes, bare, text)
        return text


def check_tokens(tokens):
    """Raises ValueError where one token would absorb the first space of another."""
    eager = [token.content for token in tokens if token.rstrip]
    spaced = [token.content for token in tokens if token.content[0] in whitespace()]
    if eager and spaced:
        raise ValueError(
            f"`tokenizer` has the added token {eager[0]!r} with `rstrip` beside "
            f"{spaced[0]!r}, which starts with a space. A graph cannot have both: make "
            "the first without `rstrip`, or the second without the space."
        )


def beside(flags, text, piece, offset):
    """The flag of the nearest piece that is not empty, within the same text."""
    near, far = (shift(flags, i, False) for i in (offset, 2 * offset))
    is_near = shift(piece, offset, -1) == piece
    is_far = shift(piece, 2 * offset, -1) == piece
    is_empty = tf.strings.length(text) == 0
    return (is_near & near) | (is_near & shift(is_empty, offset, False) & is_far & far)


def chosen(pieces, mask):
    index = tf.where(mask)[:, 0]
    return Pieces(*gathered(index, pieces.text, pieces.row, pieces.token_id))


def gathered(index, *values):
    return tuple(tf.gather(value, index) for value in values)


def escaped(content):
    return re.sub(rb"([^0-9A-Za-z_\x80-\xff])", lambda m: b"\\x%02x" % m[1][0], content)


def ranges(characters):
    """Writes characters as what stands between the brackets of an RE2 class."""
    codes = np.array(sorted(ord(character) for character in characters))
    breaks = np.flatnonzero(np.diff(codes) > 1)
    lows, highs = codes[[0, *breaks + 1]], codes[[*breaks, len(codes) - 1]]
    pairs = zip(lows, highs, strict=True)
    return "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in pairs)
