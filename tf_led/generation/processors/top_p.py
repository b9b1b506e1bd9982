"""The sampling filter that keeps a share of the probability: top-p."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_unit
from tf_led.generation.processors.ranking import (
    check_min_tokens,
    look_at_best,
    lowest_of_first,
    running_sum,
    without_nan,
)
from tf_led.generation.processors.tensors import ban


@dataclass(frozen=True, eq=False)
class TopP(Processor):
    """Keeps the most likely tokens that together reach the probability `top_p`.

    Of equally likely tokens at the edge the highest ids stay, as in PyTorch.

    Args:
        top_p: number or float[], 0 to 1.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is out of its range.

    Source: transformers' `TopPLogitsWarper` (nucleus sampling, arXiv 1904.09751); the
    call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import TopP
        >>> TopP(0.8)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, 1.75]]
    """

    top_p: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        check_unit("top_p", self.top_p, "[0, 1]", "Use 1 for none.")
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        ranked, probs = without_nan(scores), tf.nn.softmax(scores)
        num_kept, edge = look_at_best(lambda n: self._edge(ranked, probs, n), scores)
        at_edge = ranked == edge
        num_above = tf.reduce_sum(tf.cast(ranked > edge, tf.int32), -1, True)
        from_right = tf.cumsum(tf.cast(at_edge, tf.int32), axis=-1, reverse=True)
        kept = (ranked > edge) | (at_edge & (from_right <= num_kept - num_above))
        return ban(scores, ~kept)

    def _edge(self, ranked, probs, count):
        """Finds how many tokens stay and the score of the last of them, both [X, 1]."""
        top = tf.math.top_k(ranked, count)
        share = tf.gather(probs, top.indices, batch_dims=1)  # [X, count]
        total = tf.reduce_sum(tf.cast(probs, tf.float64), -1, True)
        # What the token and all below it have together.
        rest = tf.cast(total - running_sum(share, exclusive=True), share.dtype)
        bound = tf.cast(1 - self.top_p, share.dtype)
        falls = tf.where(bound > 0, rest <= bound, share <= 0)  # never for NaN
        num_kept = tf.reduce_sum(tf.cast(~falls, tf.int32), -1, True)
        num_kept = tf.maximum(num_kept, self.min_tokens_to_keep)
        edge = lowest_of_first(top.values, num_kept)
        return (num_kept, edge), num_kept < count
