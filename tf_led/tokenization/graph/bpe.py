"""Byte-level BPE of many words at once, in TensorFlow ops."""

import numpy as np
import tensorflow as tf

from tf_led.tokenization.graph.ragged import owners, shift

_LAST = tf.int32.max


def cut(starts, lengths, step):
    """Cuts each stretch into chunks of `2 * step` symbols, one every `step`.

    Args:
        starts: int32[P]. The symbol that each stretch starts with.
        lengths: int32[P]. The number of its symbols, at least 1.
        step: int32 scalar.

    Returns:
        Chunks, in the order of the stretches.
    """
    count = tf.maximum((lengths - 1) // step, 1)
    stretch = owners(count)
    first = tf.cumsum(count, exclusive=True)
    number = tf.range(tf.size(stretch)) - tf.gather(first, stretch)
    offset = number * step
    rest = tf.gather(lengths, stretch) - offset
    is_last = number == tf.gather(count, stretch) - 1
    return Chunks(
        start=tf.gather(starts, stretch) + offset,
        length=tf.where(is_last, rest, tf.minimum(rest, 2 * step)),
        stretch=stretch,
        number=number,
        is_last=is_last,
    )


class Chunks(tf.experimental.ExtensionType):
    """Chunks of stretches: a start, a length, a stretch and a number in it each."""

    start: tf.Tensor
    length: tf.Tensor
    stretch: tf.Tensor
    number: tf.Tensor
    is_last: tf.Tensor

    def symbols(self):
        """The symbols of all chunks and the chunk of each: int32[N], int32[N]."""
        chunk = owners(self.length)
        first = tf.cumsum(self.length, exclusive=True)
        base = tf.gather(self.start - first, chunk)
        return base + tf.range(tf.size(chunk)), chunk


def join(chunks, chunk, start, end, num_stretches, num_symbols):
    """Chooses the tokens that make up the stretches.

    Args:
        chunks: Chunks.
        chunk: int32[K]. The chunk of each token, in any order.
        start: int32[K]. The symbol that it starts with.
        end: int32[K]. The symbol after its last.
        num_stretches: int32 scalar.
        num_symbols: int32 scalar. Above every symbol.

    Returns:
        (chosen, failed): bool[K], and bool[num_stretches]: the stretches in which two
        neighbouring chunks have no token in common. None of their tokens is chosen.
    """
    seam = seams(chunks, chunk, start, end, num_symbols)
    is_open = (seam < 0) & ~chunks.is_last
    failed = tf.math.unsorted_segment_max(
        tf.cast(is_open, tf.int32), chunks.stretch, num_stretches
    )
    failed = failed > 0
    # A chunk's tokens come after the seam before it, up to the seam behind it.
    before = tf.concat([[-1], seam[:-1]], 0)[: tf.size(seam)]
    before = tf.where(chunks.number == 0, -1, before)
    seam = tf.where(chunks.is_last, _LAST, seam)
    chosen = (start > tf.gather(before, chunk)) & (start <= tf.gather(seam, chunk))
    return chosen & ~tf.gather(failed, tf.gather(chunks.stretch, chunk)), failed


def seams(chunks, chunk, start, end, num_symbols):
    """The start of the last token that each chunk shares with the next one, or -1."""
    # A symbol lies in two chunks at most, and their numbers are odd and even.
    parity = tf.gather(chunks.number, chunk) % 2
    ends = tf.scatter_nd((start * 2 + parity)[:, None], end, [num_symbols * 2])
    ends = tf.reshape(ends, [-1, 2])
    shared = tf.gather((ends[:, 0] == ends[:, 1]) & (ends[:, 0] > 0), start)
    following = tf.concat([chunks.start[1:], [0]], 0)[: tf.size(chunks.start)]
    shared &= start >= tf.gather(following, chunk)
    return tf.math.unsorted_segment_max(
        tf.where(shared, start, -1), chunk, tf.size(chunks.start)
    )


_NO_RANK = np.int32(2**31 - 1)


class Merger(tf.Module):
    """Merges the symbols of all stretches, a round of the lowest pair of each at once.

    A round costs time in proportion to the symbols of the stretches that still merge;
    a stretch of n symbols takes at most n - 1 rounds.
    """

    def __init__(self, tables):
        super().__init__()
        self._base = tf.constant(len(tables.lengths), tf.int64)
        keys = tables.pairs.reshape(-1, 2).astype(np.int64) @ [len(tables.lengths), 1]
        order = np.argsort(keys)
        # A key that no pair has, so that no table is empty.
        self._keys = tf.constant(np.append(keys[order], 2**62), tf.int64)
        self._ranks = tf.constant(np.append(order, _NO_RANK), tf.int32)
        self._results = tf.constant(np.append(tables.results, -1), tf.int32)

    def __call__(self, ids, stretch, num_stretches):
        """Merges symbols to tokens.

        Args:
            ids: int32[N]. Symbols, stretch after stretch.
            stretch: int32[N]. The stretch of each; never less than the one before.
            num_stretches: int32 scalar.

        Returns:
            (ids, start): int32[K] each. The tokens of all stretches, in no particular
            order, and the index of the symbol that each starts with.
        """
        start = tf.range(tf.size(ids))
        state = (ids, stretch, start, self._pair_ranks(ids, stretch, start))
        nothing = tf.zeros([0], tf.int32)
        _, done = tf.while_loop(
            lambda state, _: tf.size(state[0]) > 0,
            lambda state, done: self._round(state, done, num_stretches),
            (state, (nothing, nothing)),
            shape_invariants=((tf.TensorShape([None]),) * 4,)
            + ((tf.TensorShape([None]),) * 2,),
        )
        return done

    def _round(self, state, done, num_stretches):
        """Does the first merge of each stretch everywhere in it."""
        ids, stretch, start, rank = state
        lowest = tf.math.unsorted_segment_min(rank, stretch, num_stretches)
        lowest = tf.gather(lowest, stretch)
        is_done = lowest == _NO_RANK
        merges = every_second((rank == lowest) & ~is_done)
        finished = tf.where(is_done)[:, 0]
        done = tuple(
            tf.concat([old, tf.gather(new, finished)], 0)
            for old, new in zip(done, (ids, start), strict=True)
        )
        ids = tf.where(merges, tf.gather(self._results, tf.where(merges, rank, 0)), ids)
        kept = tf.where(~is_done & ~shift(merges, -1, False))[:, 0]
        ids, stretch, start, rank, merges = (
            tf.gather(values, kept) for values in (ids, stretch, start, rank, merges)
        )
        # Only the pairs with a new token are looked up again.
        changed = tf.where(merges | shift(merges, 1, False))
        fresh = self._pair_ranks(ids, stretch, changed[:, 0])
        rank = tf.tensor_scatter_nd_update(rank, changed, fresh)
        return (ids, stretch, start, rank), done

    def _pair_ranks(self, ids, stretch, index):
        """The rank of the merge of each symbol with the next one."""
        after = tf.minimum(index + 1, tf.size(ids, index.dtype) - 1)
        left, right = (tf.cast(tf.gather(ids, i), tf.int64) for i in (index, after))
        key = left * self._base + right
        pair_idx = tf.searchsorted(self._keys, key)
        is_pair = (tf.gather(self._keys, pair_idx) == key) & (index != after)
        is_pair &= tf.gather(stretch, index) == tf.gather(stretch, after)
        return tf.where(is_pair, tf.gather(self._ranks, pair_idx), _NO_RANK)


def every_second(mask):
    """Keeps every second True of each run: there is one `aa` in `aaa`, the first."""
    index = tf.range(tf.size(mask))
    begins = mask & ~shift(mask, -1, False)
    run = tf.cumsum(tf.cast(begins, tf.int32))
    first = tf.concat([[0], tf.boolean_mask(index, begins)], 0)
    return mask & ((index - tf.gather(first, run)) % 2 == 0)


_STEP = 48
_GROWTH = 8


class GraphBpe(tf.Module):
    """Turns words into ids.

    A word is first cut at seams that no token of the vocabulary crosses, and what is
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
