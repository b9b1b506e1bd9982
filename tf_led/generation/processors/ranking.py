"""What the sampling filters share: the best tokens of a row and what they sum up to."""

import tensorflow as tf

from tf_led.generation.processors.checks import check_count
from tf_led.generation.processors.tensors import vocab_size_of

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


def running_sum(shares, exclusive=False):
    """Adds up along the rows in float64, as PyTorch does."""
    return tf.cumsum(tf.cast(shares, tf.float64), axis=-1, exclusive=exclusive)


def check_min_tokens(count):
    """Refuses a `min_tokens_to_keep` below 1."""
    check_count("min_tokens_to_keep", count, 1, "Keep one token at least.")
