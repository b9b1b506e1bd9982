"""The sampling filter that keeps tokens of the usual surprise: typical-p."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_unit
from tf_led.generation.processors.ranking import (
    at_most_vocab,
    check_min_tokens,
    look_at_best,
    lowest_of_first,
    running_sum,
    without_nan,
)
from tf_led.generation.processors.tensors import ban, mark_tokens, vocab_size_of


@dataclass(frozen=True, eq=False)
class Typical(Processor):
    """Keeps the tokens whose surprise is nearest to the one to be expected.

    Args:
        typical_p: number or float[], above 0 and at most 1: the probability that they
            reach together.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is out of its range.

    Source: transformers' `TypicalLogitsWarper` (arXiv 2202.00666).

    Example:
        >>> from tf_led.generation.processors import Typical
        >>> Typical(0.3)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, -inf, 1.75]]
    """

    typical_p: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        check_unit("typical_p", self.typical_p, "(0, 1]", "Use 1 for none.")
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        log_probs, probs = tf.nn.log_softmax(scores), tf.nn.softmax(scores)
        terms = tf.exp(log_probs) * log_probs
        entropy = -tf.reduce_sum(tf.where(tf.math.is_nan(terms), 0.0, terms), -1, True)
        strangeness = without_nan(tf.abs(-log_probs - entropy))
        edge = look_at_best(lambda n: self._edge(strangeness, probs, n), scores)
        banned = (strangeness > edge) & (tf.cast(self.typical_p, tf.float32) < 1)
        if self.min_tokens_to_keep > 1:
            count = at_most_vocab(self.min_tokens_to_keep, scores)
            nearest = tf.math.top_k(-strangeness, count).indices
            banned &= ~mark_tokens(nearest, vocab_size_of(scores))
        return ban(scores, banned)

    def _edge(self, strangeness, probs, count):
        """Finds the strangeness of the last token that stays, [X, 1]."""
        nearest = tf.math.top_k(-strangeness, count)
        share = tf.gather(probs, nearest.indices, batch_dims=1)  # [X, count]
        reached = tf.cast(running_sum(share), share.dtype)
        falls_short = reached < tf.cast(self.typical_p, share.dtype)
        num_kept = tf.reduce_sum(tf.cast(falls_short, tf.int32), -1, True) + 1
        return -lowest_of_first(nearest.values, num_kept), num_kept <= count
