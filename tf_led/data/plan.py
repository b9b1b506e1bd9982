"""Which examples make up which batch: a function of the seed and the epoch alone."""

import functools

import numpy as np

from tf_led.data.checks import check_int

# Documents of similar length are looked for among so many batches: more find closer
# ones, fewer leave the order closer to a free one.
POOL = 50


class BatchPlan:
    """The batches of every epoch.

    With `shuffle` the examples of an epoch are put in random order, those of every 50
    batches are sorted by length, cut into batches, and the batches put in random order:
    a batch holds documents of similar length. Without, the order is that of the data.

    Args:
        lengths: int[examples], of the documents.
        batch_size: int, of all workers together.
        shuffle: bool.
        seed: int >= 0; the same one gives the same batches.
        drop_remainder: bool, whether to leave out a last batch that is not full.

    Raises:
        ValueError: on a batch size that is no int of at least 1, a seed that is none of
            at least 0, and if no batch is left.

    Example:
        >>> from tf_led.data.plan import BatchPlan
        >>> plan = BatchPlan([5, 7, 3], batch_size=2, shuffle=False)
        >>> len(plan), plan.rows(epoch=0, step=1).tolist()
        (2, [2])
    """

    def __init__(
        self, lengths, *, batch_size, shuffle=True, seed=0, drop_remainder=False
    ):
        check_int("batch_size", batch_size, at_least=1)
        check_int("seed", seed, at_least=0)
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.num_rows = len(self.lengths)
        if drop_remainder:
            self.num_rows -= self.num_rows % batch_size
        if not self.num_rows:
            raise ValueError(
                f"`batch_size` is {batch_size} and there are {len(self.lengths)} "
                "examples: no batch is left. Give drop_remainder=False or smaller ones."
            )
        self._starts = functools.lru_cache(maxsize=2)(self._order)

    def __len__(self):
        """The number of batches of an epoch."""
        return -(-self.num_rows // self.batch_size)

    def rows(self, epoch, step):
        """The examples of one batch.

        Args:
            epoch: int from 0.
            step: int from 0, below the number of batches.

        Returns:
            int64[B], indices.
        """
        order, starts = self._starts(int(epoch))
        start = starts[step]
        return order[start : start + self.batch_size]

    def _order(self, epoch):
        """The examples in the epoch's order, and where each batch starts in it."""
        starts = np.arange(0, self.num_rows, self.batch_size)
        if not self.shuffle:
            return np.arange(self.num_rows), starts
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.lengths))[: self.num_rows]
        pool = POOL * self.batch_size
        for start in range(0, self.num_rows, pool):
            part = order[start : start + pool]
            part[:] = part[np.argsort(self.lengths[part], kind="stable")]
        return order, random.permutation(starts)
