"""The processor that makes groups of beams differ."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tf_led.generation.processors.base import (
    Processor,
    count_tokens,
    repeat_for_beams,
    vocab_size_of,
)
from tf_led.utils.annotations import Number, TensorLike
from tf_led.utils.validation import check_int, check_positive


@dataclass(frozen=True, eq=False)
class HammingDiversity(Processor):
    """Lowers the tokens that earlier groups of beams have just taken.

    The groups of one step are searched one after the other, and each has to know what
    those before it chose. So this is the one processor that cannot be called as it
    stands: group beam search calls, for every group, what `bind` gives, on the scores
    of this group's beams alone.

    Args:
        diversity_penalty: number or float[], above 0: what a score loses for each
            earlier beam of the document that took the token.
        num_beams: int, at least 2, over all groups.
        num_beam_groups: int, at least 2 and at most `num_beams`.

    Raises:
        ValueError: if a number is out of its range, or it is called unbound.

    Source: diverse beam search (arXiv 1610.02424), equation 3; transformers 4.57's
    `HammingDiversityLogitsProcessor`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.processors import HammingDiversity
        >>> diversity = HammingDiversity(0.5, num_beams=4, num_beam_groups=2)
        >>> taken = tf.constant([[1, 1, 0, 0]])  # group 1 has not chosen yet
        >>> second_group = diversity.bind(taken, group=1)
        >>> second_group([[0.0, 2.0], [0.0, 3.0]], [[0], [0]], 1).numpy().tolist()
        [[0.0, 1.0], [0.0, 2.0]]
    """

    diversity_penalty: Number
    num_beams: int
    num_beam_groups: int

    def __post_init__(self):
        check_positive("diversity_penalty", self.diversity_penalty, "Use 0 for none.")
        check_int("num_beams", self.num_beams, 2, "Groups are groups of beams.")
        check_int("num_beam_groups", self.num_beam_groups, 2, "Use 1 for no groups.")
        if self.num_beam_groups > self.num_beams:
            raise ValueError(
                f"`num_beam_groups` must be at most `num_beams` ({self.num_beams}), "
                f"got {self.num_beam_groups}. Use fewer groups or more beams."
            )

    def bind(self, taken_ids: TensorLike, group: int) -> Callable[..., tf.Tensor]:
        """Makes the processor of one group at one step.

        Args:
            taken_ids: int32[B, K], the tokens that the beams of the groups before
                `group` took at this step; what stands for later beams is ignored.
            group: int or int32[], from 0.

        Returns:
            A callable like `Processor`, over B * (K / groups) rows.

        Example:
            >>> from tf_led.generation.processors import HammingDiversity
            >>> rule = HammingDiversity(0.5, 2, 2).bind([[1, 0]], group=1)
            >>> rule([[3.0, 3.0]], [[0]], 1).numpy().tolist()  # group 0 took token 1
            [[3.0, 2.5]]
        """
        return functools.partial(self._lower, taken_ids, group)

    def _lower(self, taken_ids, group, scores, tokens, length):
        del tokens, length
        scores, taken_ids = tf.convert_to_tensor(scores), tf.cast(taken_ids, tf.int32)
        group_len = self.num_beams // self.num_beam_groups
        is_earlier = tf.range(tf.shape(taken_ids)[1]) < group * group_len
        count = count_tokens(taken_ids, vocab_size_of(scores), where=is_earlier)
        penalty = tf.cast(self.diversity_penalty, scores.dtype)
        lowered_by = penalty * tf.cast(count, scores.dtype)  # [B, V]
        return scores - repeat_for_beams(lowered_by, scores)

    def process(self, scores, tokens, length):
        raise ValueError(
            f"{self!r} was called without its group. Call `bind(taken_ids, group)` and "
            "call what it returns."
        )
