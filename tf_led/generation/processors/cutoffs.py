"""Sampling filters top-k, min-p, top-h, epsilon and eta: tokens below a bound go."""

from dataclasses import dataclass

import tensorflow as tf

from tf_led.generation.processors.base import Processor, ban, mark_tokens, vocab_size_of
from tf_led.generation.processors.sampling_filters import (
    at_most_vocab,
    check_min_tokens,
    kth_largest,
    running_sum,
    without_nan,
)
from tf_led.utils.annotations import Number
from tf_led.utils.validation import check_int, check_unit


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

    top_k: int
    min_tokens_to_keep: int = 1

    def __post_init__(self):
        lowest = 0 if tf.is_tensor(self.top_k) else 1
        check_int("top_k", self.top_k, lowest, "Use 0 in `generate` for all tokens.")
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

    min_p: Number
    min_tokens_to_keep: int = 1

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


# Beyond so many tokens top-h does not look, as PyTorch.
_TOP_H_TOKENS = 100


@dataclass(frozen=True, eq=False)
class TopH(Processor):
    """Keeps the most likely tokens until they hold the fraction `top_h` of the entropy.

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

    top_h: Number

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

    epsilon_cutoff: Number
    min_tokens_to_keep: int = 1

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

    eta_cutoff: Number
    min_tokens_to_keep: int = 1

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
