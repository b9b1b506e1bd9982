"""The merges of a byte-level BPE over many short stretches at once."""

import numpy as np
import tensorflow as tf

from .graph_flat import shift

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
        slot = tf.searchsorted(self._keys, key)
        is_pair = (tf.gather(self._keys, slot) == key) & (index != after)
        is_pair &= tf.gather(stretch, index) == tf.gather(stretch, after)
        return tf.where(is_pair, tf.gather(self._ranks, slot), _NO_RANK)


def every_second(mask):
    """Keeps every second True of each run: there is one `aa` in `aaa`, the first."""
    index = tf.range(tf.size(mask))
    begins = mask & ~shift(mask, -1, False)
    run = tf.cumsum(tf.cast(begins, tf.int32))
    first = tf.concat([[0], tf.boolean_mask(index, begins)], 0)
    return mask & ((index - tf.gather(first, run)) % 2 == 0)
