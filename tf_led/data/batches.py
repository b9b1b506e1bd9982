"""From rows of ids to the arrays of one batch."""

import numpy as np

from tf_led.data.checks import check_int
from tf_led.data.global_rules import first_token

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
        >>> from tf_led.data.batches import BatchMaker
        >>> from tf_led.data.encode import Encoded
        >>> from tf_led.data.token_rows import TokenRows
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
        labels = stack(targets, target_length, -100)
        return {
            "input_ids": stack(sources, length, self.pad_token_id),
            "attention_mask": stack(ones, length, 0),
            "global_attention_mask": stack(masks, length, 0),
            "labels": np.full_like(labels, -100) if is_idle else labels,
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
        >>> from tf_led.data.batches import padded_length
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
