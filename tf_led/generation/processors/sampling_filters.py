"""Temperature, top-p and typical sampling; scores made finite, or normalised."""

from dataclasses import dataclass

import tensorflow as tf

from tf_led.generation.processors.base import Processor, ban, mark_tokens, vocab_size_of
from tf_led.utils.annotations import Number
from tf_led.utils.validation import check_int, check_positive, check_unit

# Sorting a vocabulary of 50,265 takes as long as a step of the decoder. Nearly always
# the best thousand decide; only where they do not, all are sorted.
_HEAD = 1024


def without_nan(scores):
    """Puts +inf for NaN: sorting NaN is undefined, and PyTorch sorts it highest."""
    highest = tf.constant(float("inf"), scores.dtype)
    return tf.where(tf.math.is_nan(scores), highest, scores)


def at_most_vocab(count, scores):
    """Limits a Python int to the size of the vocabulary, known or not."""
    vocab_size = vocab_size_of(scores)
    is_known = isinstance(vocab_size, int)
    return min(count, vocab_size) if is_known else tf.minimum(count, vocab_size)


def kth_largest(scores, count):
    """Gives the `count`-th largest score of each row, or the last, as [X, 1]."""
    top = tf.math.top_k(without_nan(scores), at_most_vocab(count, scores)).values
    # Not a slice: XLA would turn the slice of a top-k into a sort of all, 400 times as
    # long.
    return tf.reduce_min(top, -1, keepdims=True)


def lowest_of_first(ranked, count):
    """Gives the last of the first `count` values, at least one, of each falling row.

    Args:
        ranked: float32[X, M], falling along the rows.
        count: int32[X, 1]; what is above M stands for M.

    Returns:
        float32[X, 1].
    """
    is_first = tf.range(tf.shape(ranked)[1]) < count
    highest = tf.constant(float("inf"), ranked.dtype)
    return tf.reduce_min(tf.where(is_first, ranked, highest), -1, keepdims=True)


def look_at_best(decide, scores):
    """Calls `decide` with the number of best tokens to look at.

    Args:
        decide: callable, count -> (nest of tensors, bool[X, 1] that tells whether
            `count` tokens were enough).
        scores: float32[X, V].

    Returns:
        The nest.
    """
    head = at_most_vocab(_HEAD, scores)
    answer, was_enough = decide(head)
    if scores.shape[-1] is not None and scores.shape[-1] <= _HEAD:
        return answer
    is_decided = tf.reduce_all(was_enough)
    return tf.cond(is_decided, lambda: answer, lambda: decide(vocab_size_of(scores))[0])


def running_sum(probs, exclusive=False):
    """Adds up along the rows in float64, as PyTorch does."""
    return tf.cumsum(tf.cast(probs, tf.float64), axis=-1, exclusive=exclusive)


def check_min_tokens(count):
    """Raises ValueError if `min_tokens_to_keep` is below 1."""
    check_int("min_tokens_to_keep", count, 1, "Keep one token at least.")


@dataclass(frozen=True, eq=False)
class Temperature(Processor):
    """Divides the scores: above 1 the choice gets freer, below 1 safer.

    Args:
        temperature: number or float[], above 0.

    Raises:
        ValueError: if it is not above 0.

    Source: transformers' `TemperatureLogitsWarper`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import Temperature
        >>> Temperature(2.0)([[4.0, -3.0]], [[0]], 1).numpy().tolist()
        [[2.0, -1.5]]
    """

    temperature: Number

    def __post_init__(self):
        remedy = "For the most likely token at every step, set `do_sample=False`."
        check_positive("temperature", self.temperature, remedy)

    def process(self, scores, tokens, length):
        return scores / tf.cast(self.temperature, scores.dtype)


@dataclass(frozen=True, eq=False)
class InfNanRemove(Processor):
    """Replaces NaN by 0 and infinities by the largest and smallest finite number.

    Source: transformers' `InfNanRemoveLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import InfNanRemove
        >>> InfNanRemove()([[float("nan"), 1.0]], [[0]], 1).numpy().tolist()
        [[0.0, 1.0]]
    """

    def process(self, scores, tokens, length):
        finite = tf.clip_by_value(scores, scores.dtype.min, scores.dtype.max)
        return tf.where(tf.math.is_nan(scores), tf.zeros_like(scores), finite)


@dataclass(frozen=True, eq=False)
class LogitNormalization(Processor):
    """Makes the scores log-probabilities again, for `renormalize_logits`.

    A row in which all is forbidden becomes NaN, as in PyTorch.

    Source: transformers' `LogitNormalization`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import LogitNormalization
        >>> LogitNormalization()([[3.0]], [[0]], 1).numpy().tolist()
        [[0.0]]
    """

    def process(self, scores, tokens, length):
        return tf.nn.log_softmax(scores)


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

    top_p: Number
    min_tokens_to_keep: int = 1

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
        ranked_probs = tf.gather(probs, top.indices, batch_dims=1)  # [X, count]
        total = tf.reduce_sum(tf.cast(probs, tf.float64), -1, True)
        # What the token and all below it have together.
        rest = tf.cast(
            total - running_sum(ranked_probs, exclusive=True), ranked_probs.dtype
        )
        bound = tf.cast(1 - self.top_p, ranked_probs.dtype)
        falls = tf.where(bound > 0, rest <= bound, ranked_probs <= 0)  # never for NaN
        num_kept = tf.reduce_sum(tf.cast(~falls, tf.int32), -1, True)
        num_kept = tf.maximum(num_kept, self.min_tokens_to_keep)
        edge = lowest_of_first(top.values, num_kept)
        return (num_kept, edge), num_kept < count


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

    typical_p: Number
    min_tokens_to_keep: int = 1

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
        ranked_probs = tf.gather(probs, nearest.indices, batch_dims=1)  # [X, count]
        reached = tf.cast(running_sum(ranked_probs), ranked_probs.dtype)
        falls_short = reached < tf.cast(self.typical_p, ranked_probs.dtype)
        num_kept = tf.reduce_sum(tf.cast(falls_short, tf.int32), -1, True) + 1
        return -lowest_of_first(nearest.values, num_kept), num_kept <= count
