"""Byte-level BPE of many words at once, in TensorFlow ops."""

import tensorflow as tf

from .graph_chunks import cut, join
from .graph_flat import owners, shift
from .graph_merge import Merger

_STEP = 48
_GROWTH = 8


class GraphBpe(tf.Module):
    """Turns words into ids.

    A word is first cut where no token of the vocabulary can reach across, and what is
    still long into chunks that overlap. So a word of n bytes costs O(n) in time, times
    the number of rounds in a chunk (96 at most, mostly below 20), and no word holds the
    others up. Where two chunks share no token, which takes a text made for it, the
    stretch is done again in chunks 8 times as long.
    """

    def __init__(self, tables):
        super().__init__()
        self._byte_ids = tf.constant(tables.byte_ids)
        self._touches = tf.constant(tables.touches.reshape(-1))
        self._lengths = tf.constant(tables.lengths)
        self._merge = Merger(tables)

    def __call__(self, words):
        """Encodes words.

        Args:
            words: string[W], of any bytes.

        Returns:
            int32 ragged [W, (k)]. The ids of each; bytes that the vocabulary lacks are
            left out, as the library does.
        """
        symbols, word = self._symbols(words)
        ids = tf.gather(self._byte_ids, symbols)
        starts = self._stretch_starts(symbols, word)
        size = tf.size(symbols)
        lengths = tf.concat([starts[1:], [size]], 0)[: tf.size(starts)] - starts
        at, token = self._encode(ids, starts, lengths)
        # Each symbol that a token starts with gets the token's id.
        placed = tf.scatter_nd(at[:, None], token + 1, [size])
        kept = tf.where(placed > 0)[:, 0]
        return tf.RaggedTensor.from_value_rowids(
            tf.gather(placed, kept) - 1,
            tf.gather(word, kept),
            tf.size(words, tf.int64),
            validate=False,
        )

    def _symbols(self, words):
        """The bytes that have an id, int32[N], and the word of each, int64[N]."""
        joined = tf.strings.reduce_join(words)
        symbols = tf.cast(tf.io.decode_raw(joined[None], tf.uint8)[0], tf.int32)
        word = owners(tf.cast(tf.strings.length(words), tf.int64))
        known = tf.where(tf.gather(self._byte_ids, symbols) >= 0)[:, 0]
        return tf.gather(symbols, known), tf.gather(word, known)

    def _stretch_starts(self, symbols, word):
        before = shift(symbols, -1, 0)
        touches = tf.gather(self._touches, before * 256 + symbols)
        is_start = (shift(word, -1, -1) != word) | ~touches
        return tf.cast(tf.where(is_start)[:, 0], tf.int32)

    def _encode(self, ids, starts, lengths):
        """Encodes stretches: the symbol each token starts at, and its id."""
        nothing = tf.zeros([0], tf.int32)
        many = tf.TensorShape([None])
        _, _, _, at, token = tf.while_loop(
            lambda starts, *_: tf.size(starts) > 0,
            lambda *state: self._pass(ids, *state),
            (starts, lengths, tf.constant(_STEP), nothing, nothing),
            shape_invariants=(many, many, tf.TensorShape([]), many, many),
        )
        return at, token

    def _pass(self, ids, starts, lengths, step, at, token):
        """Encodes in chunks of one size; those that it cannot join stay to be done."""
        chunks = cut(starts, lengths, step)
        symbol, chunk = chunks.symbols()
        new, first = self._merge(tf.gather(ids, symbol), chunk, tf.size(chunks.start))
        new_at, chunk = tf.gather(symbol, first), tf.gather(chunk, first)
        end = new_at + tf.gather(self._lengths, new)
        chosen, failed = join(chunks, chunk, new_at, end, tf.size(starts), tf.size(ids))
        chosen, failed = tf.where(chosen)[:, 0], tf.where(failed)[:, 0]
        return (
            tf.gather(starts, failed),
            tf.gather(lengths, failed),
            step * _GROWTH,
            tf.concat([at, tf.gather(new_at, chosen)], 0),
            tf.concat([token, tf.gather(new, chosen)], 0),
        )
