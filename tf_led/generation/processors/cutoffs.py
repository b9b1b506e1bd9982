"""Sampling filters that compare each probability with a bound: epsilon and eta."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_unit
from tf_led.generation.processors.ranking import check_min_tokens, kth_largest
from tf_led.generation.processors.tensors import ban


def _check_cutoff(name, value):
    interval = "[0, 1)" if tf.is_tensor(value) else "(0, 1)"
    check_unit(name, value, interval, "Use 0 in `generate` for none.")


@dataclass(frozen=True, eq=False)
class Epsilon(Processor):
    """Keeps tokens whose probability is at least `epsilon_cutoff`.

    Args:
        epsilon_cutoff: number or float[], above 0 and below 1. A tensor may be 0.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is out of its range.

    Source: transformers' `EpsilonLogitsWarper`.

    Example:
        >>> from tf_led.generation.processors import Epsilon
        >>> Epsilon(0.2)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, 1.75]]
    """

    epsilon_cutoff: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        _check_cutoff("epsilon_cutoff", self.epsilon_cutoff)
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        unlikely = tf.nn.softmax(scores) < tf.cast(self.epsilon_cutoff, scores.dtype)
        last = kth_largest(scores, self.min_tokens_to_keep)
        return ban(scores, unlikely & (scores < last))


@dataclass(frozen=True, eq=False)
class Eta(Processor):
    """Keeps tokens above a probability that falls where the choice is wide.

    The bound is min(eta, sqrt(eta) * exp(-entropy)) (arXiv 2210.15191).

    Args:
        eta_cutoff: number or float[], above 0 and below 1. A tensor may be 0.
        min_tokens_to_keep: int, at least 1.

    Raises:
        ValueError: if a number is out of its range.

    Source: transformers' `EtaLogitsWarper`.

    Example:
        >>> from tf_led.generation.processors import Eta
        >>> Eta(0.2)([[0.0, 2.0, 1.75]], [[0]], 1).numpy().tolist()
        [[-inf, 2.0, 1.75]]
    """

    eta_cutoff: Any
    min_tokens_to_keep: Any = 1

    def __post_init__(self):
        _check_cutoff("eta_cutoff", self.eta_cutoff)
        check_min_tokens(self.min_tokens_to_keep)

    def process(self, scores, tokens, length):
        probs, log_probs = tf.nn.softmax(scores), tf.nn.log_softmax(scores)
        # A forbidden token has probability 0 and adds nothing, not 0 * inf.
        terms = probs * tf.maximum(log_probs, scores.dtype.min)
        spread = tf.exp(tf.reduce_sum(terms, -1, True))  # exp(-entropy)
        eta = tf.cast(self.eta_cutoff, scores.dtype)
        unlikely = probs < tf.minimum(eta, tf.sqrt(eta) * spread)
        last = kth_largest(scores, self.min_tokens_to_keep)
        return ban(scores, unlikely & (scores < last))
