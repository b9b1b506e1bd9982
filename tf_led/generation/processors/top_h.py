"""The sampling filter that keeps a share of the entropy: top-h."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_unit
from tf_led.generation.processors.ranking import (
    at_most_vocab,
    running_sum,
    without_nan,
)
from tf_led.generation.processors.tensors import ban, mark_tokens, vocab_size_of

# Beyond so many tokens top-h does not look, as PyTorch.
_TOP_H_TOKENS = 100


@dataclass(frozen=True, eq=False)
class TopH(Processor):
    """Keeps the most likely tokens until they hold the share `top_h` of the entropy.

    Args:
        top_h: number or float[], above 0 and at most 1.

    Raises:
        ValueError: if it is out of its range.

    Source: transformers' `TopHLogitsWarper` (arXiv 2509.02510).

    Example:
        >>> from tf_led.generation.processors import TopH
        >>> TopH(0.8)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, 1.75]]
    """

    top_h: Any

    def __post_init__(self):
        check_unit("top_h", self.top_h, "(0, 1]", "Use None for none.")

    def process(self, scores, tokens, length):
        top = tf.math.top_k(without_nan(scores), at_most_vocab(_TOP_H_TOKENS, scores))
        probs, log_probs = tf.nn.softmax(top.values), tf.nn.log_softmax(top.values)
        terms = -probs * tf.maximum(log_probs, scores.dtype.min)
        bound = tf.reduce_sum(terms, -1, True) * tf.cast(self.top_h, scores.dtype)
        # A token that cannot come up ends the row here: its term is NaN.
        terms = -probs * tf.math.log(probs)
        kept = tf.cast(running_sum(terms), scores.dtype) <= bound
        is_first = tf.range(tf.shape(kept)[1]) == 0
        kept = mark_tokens(top.indices, vocab_size_of(scores), where=kept | is_first)
        return ban(scores, ~kept)
