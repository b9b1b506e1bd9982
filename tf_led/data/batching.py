"""From rows of ids to the arrays of one batch."""

import functools

import numpy as np

from tf_led.data.global_attention_rules import first_token
from tf_led.ops.losses import IGNORED_LABEL
from tf_led.utils.validation import check_int

NAMES = ("input_ids", "attention_mask", "global_attention_mask", "labels")


class BatchMaker:
    """Pads examples and places their global attention.

    Args:
        encoded: `tf_led.data.encode.Encoded`.
        pad_token_id: int, fills `input_ids` up; labels are filled up with -100.
        rule: callable from int[S] to bool[S], which tokens are global.
        pad_to_multiple_of: int; a batch's documents are as long as the next multiple.
        pad_labels_to_multiple_of: int; the same for its labels.
        max_source_length: int or None, never to be padded beyond.
        max_target_length: int or None, the same for labels.

    Raises:
        ValueError: on a multiple below 1; in a call, if the rule gives a mask of
            another shape.

    Example:
        >>> import numpy as np
        >>> from tf_led.data.batching import BatchMaker
        >>> from tf_led.data.encode import Encoded
        >>> from tf_led.data.cache import TokenRows
        >>> rows = TokenRows(np.array([0, 5, 2, 0, 2]), np.array([3, 5]))
        >>> make = BatchMaker(Encoded(rows, rows, None), 1, pad_to_multiple_of=4)
        >>> make([0, 1])["input_ids"].tolist()
        [[0, 5, 2, 1], [0, 2, 1, 1]]
    """

    def __init__(
        self,
        encoded,
        pad_token_id,
        rule=first_token,
        *,
        pad_to_multiple_of=1,
        pad_labels_to_multiple_of=1,
        max_source_length=None,
        max_target_length=None,
    ):
        check_int("pad_to_multiple_of", pad_to_multiple_of, at_least=1)
        check_int("pad_labels_to_multiple_of", pad_labels_to_multiple_of, at_least=1)
        self.encoded = encoded
        self.pad_token_id = pad_token_id
        self.rule = rule
        self.source_pads = (pad_to_multiple_of, max_source_length)
        self.target_pads = (pad_labels_to_multiple_of, max_target_length)

    def __call__(self, rows, shard=0, num_shards=1):
        """Makes a batch, or a worker's part of it.

        Args:
            rows: int[B], the examples.
            shard: int, which part.
            num_shards: int, how many there are.

        Returns:
            Dict of int32[B, S] (`input_ids`, `attention_mask`,
            `global_attention_mask`) and int32[B, T] (`labels`). A part without an
            example holds one whose labels are all -100: workers keep step.
        """
        part = np.array_split(np.asarray(rows), num_shards)[shard]
        is_idle = len(part) == 0
        sources = [self.encoded.sources[row] for row in (rows[:1] if is_idle else part)]
        targets = [self.encoded.targets[row] for row in (rows[:1] if is_idle else part)]
        masks = [self._global_mask(ids) for ids in sources]
        length = padded_length(sources, *self.source_pads)
        target_length = padded_length(targets, *self.target_pads)
        ones = [np.ones(len(ids), "int32") for ids in sources]
        labels = stack(targets, target_length, IGNORED_LABEL)
        return {
            "input_ids": stack(sources, length, self.pad_token_id),
            "attention_mask": stack(ones, length, 0),
            "global_attention_mask": stack(masks, length, 0),
            "labels": np.full_like(labels, IGNORED_LABEL) if is_idle else labels,
        }

    def _global_mask(self, ids):
        mask = np.asarray(self.rule(ids))
        if mask.shape != ids.shape:
            raise ValueError(
                f"`global_tokens` gave a mask of shape {list(mask.shape)} for "
                f"{len(ids)} ids; it must give one value for each."
            )
        return mask


def padded_length(rows, multiple, limit):
    """The length that rows are padded to.

    Args:
        rows: list of int[length].
        multiple: int.
        limit: int or None, not to be exceeded; no row is longer.

    Returns:
        int.

    Example:
        >>> from tf_led.data.batching import padded_length
        >>> padded_length([[0, 5, 2]], 8, None), padded_length([[0, 5, 2]], 8, 7)
        (8, 7)
    """
    longest = max(map(len, rows))
    rounded = -(-longest // multiple) * multiple
    return rounded if limit is None else min(rounded, limit)


def stack(rows, length, value):
    """Fills rows up on the right.

    Args:
        rows: list of B arrays of different lengths.
        length: int, at least that of the longest.
        value: int.

    Returns:
        int32[B, length].
    """
    batch = np.full([len(rows), length], value, "int32")
    for filled, row in zip(batch, rows, strict=True):
        filled[: len(row)] = row
    return batch


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
        ValueError: if the batch size is not an int of at least 1 or the seed not an int
            of at least 0, and if no batch is left.

    Example:
        >>> from tf_led.data.batching import BatchPlan
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
