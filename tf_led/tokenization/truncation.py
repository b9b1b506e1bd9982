"""Cutting sequences of ids to a length, by each strategy."""

import logging

from transformers.tokenization_utils_base import TruncationStrategy

logger = logging.getLogger(__name__)

FIRST = TruncationStrategy.ONLY_FIRST
SECOND = TruncationStrategy.ONLY_SECOND
LONGEST = TruncationStrategy.LONGEST_FIRST


def truncate(ids, pair_ids, count, strategy, stride, side):
    """Takes `count` ids away from one sequence or from a pair.

    Args:
        ids: list of int. The first sequence.
        pair_ids: list of int or None. The second.
        count: int. How many ids have to go; 0 or less changes nothing.
        strategy: TruncationStrategy. Which of the two loses them.
        stride: int. How many of the kept ids the overflow repeats.
        side: "left" or "right". The end that loses them.

    Returns:
        (ids, pair_ids, overflow), new lists. A strategy that cannot take away that many
        is logged and changes nothing. A pair cut by "longest_first" has no overflow.
    """
    if count <= 0 or strategy == TruncationStrategy.DO_NOT_TRUNCATE:
        return ids, pair_ids, []
    if strategy == LONGEST and pair_ids is not None:
        return *cut_longest(ids, pair_ids, count, side), []
    if strategy != SECOND:
        ids, overflow = cut_one(ids, count, strategy, stride, side)
        return ids, pair_ids, overflow
    if pair_ids is None:
        log_refusal(count, strategy, "there is no second sequence")
        return ids, None, []
    pair_ids, overflow = cut_one(pair_ids, count, strategy, stride, side)
    return ids, pair_ids, overflow


def cut_one(ids, count, strategy, stride, side):
    if len(ids) <= count:
        log_refusal(count, strategy, f"its sequence has only {len(ids)}")
        return ids, []
    window = min(len(ids), stride + count)
    if side == "left":
        return ids[count:], ids[:window]
    return ids[:-count], ids[-window:]


def log_refusal(count, strategy, reason):
    logger.error(
        "Truncation by '%s' would have to take %d tokens away, but %s: nothing is cut. "
        "Choose another `truncation` or a larger `max_length`.",
        strategy.value,
        count,
        reason,
    )


def cut_longest(ids, pair_ids, count, side):
    """Evens the two out, then takes from both; the first keeps the odd id."""
    from_longer = min(abs(len(ids) - len(pair_ids)), count)
    from_both = count - from_longer
    losses = [from_both // 2, from_both - from_both // 2]
    losses[0 if len(ids) > len(pair_ids) else 1] += from_longer
    return tuple(
        drop(sequence, loss, side)
        for sequence, loss in zip((ids, pair_ids), losses, strict=True)
    )


def drop(ids, count, side):
    if side == "left":
        return ids[count:]
    return ids[: max(len(ids) - count, 0)]
