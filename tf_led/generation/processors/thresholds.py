"""Sampling filters that compare each token with the best: top-k and min-p."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_count, check_unit
from tf_led.generation.processors.ranking import (
    at_most_vocab,
    check_min_tokens,
    kth_largest,
    without_nan,
)
from tf_led.generation.processors.tensors import ban, mark_tokens, vocab_size_of


@dataclass(frozen=True, eq=False)
class TopK(Processor):
    """Keeps the `top_k` best tokens, and all that are as good as the last of these.

    Args:
        top_k: int or int32[], at least 1. A tensor may be 0, for all.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is below 1 or no integer.

    Source: transformers' `TopKLogitsWarper`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import TopK
        >>> TopK(1)([[0.5, 2.0, 1.0]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, -inf]]
    """

    top_k: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        lowest = 0 if tf.is_tensor(self.top_k) else 1
        check_count("top_k", self.top_k, lowest, "Use 0 in `generate` for all tokens.")
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        if not tf.is_tensor(self.top_k):
            last = kth_largest(scores, max(self.top_k, self.min_tokens_to_keep))
            return ban(scores, scores < last)
        vocab_size = tf.shape(scores)[1]
        count = tf.maximum(tf.cast(self.top_k, tf.int32), self.min_tokens_to_keep)
        count = tf.where(self.top_k == 0, vocab_size, tf.minimum(count, vocab_size))
        ranked = tf.sort(without_nan(scores), direction="DESCENDING")
        return ban(scores, scores < tf.gather(ranked, [count - 1], axis=1))


@dataclass(frozen=True, eq=False)
class MinP(Processor):
    """Keeps tokens at least `min_p` times as likely as the most likely one.

    Args:
        min_p: number or float[], 0 to 1.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is out of its range.

    Source: transformers' `MinPLogitsWarper`.

    Example:
        >>> from tf_led.generation.processors import MinP
        >>> MinP(0.5)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, 1.75]]
    """

    min_p: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        check_unit("min_p", self.min_p, "[0, 1]", "Use None for none.")
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        probs = tf.nn.softmax(scores)
        bound = tf.cast(self.min_p, probs.dtype) * tf.reduce_max(probs, -1, True)
        count = at_most_vocab(self.min_tokens_to_keep, scores)
        best = tf.math.top_k(without_nan(probs), count).indices
        kept = mark_tokens(best, vocab_size_of(scores))
        return ban(scores, (probs < bound) & ~kept)
