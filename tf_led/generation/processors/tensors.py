"""Small tensor functions that several processors share."""

import tensorflow as tf


def vocab_size_of(scores):
    """Gives the size of the last axis: a Python int where known, else a tensor."""
    return scores.shape[-1] or tf.shape(scores)[-1]


def count_tokens(ids, vocab_size, where=None):
    """Counts, in a row over the vocabulary, how often an id occurs in a row of `ids`.

    One scatter: memory grows with the number of ids and with the vocabulary, never
    with their product. Ids outside the vocabulary are not counted.

    Args:
        ids: int32[X, M].
        vocab_size: int or int32[], the size V of the result's rows.
        where: bool[X, M] or bool[1, M]. False leaves the id at this place out. None:
            all count.

    Returns:
        int32[X, V].
    """
    counts = (ids >= 0) & (ids < vocab_size)
    if where is not None:
        counts &= where
    num_rows, row_len = tf.shape(ids)[0], vocab_size + 1  # one spare column at the end
    cell = tf.where(counts, ids, vocab_size) + tf.range(num_rows)[:, None] * row_len
    found = tf.math.unsorted_segment_sum(tf.ones_like(cell), cell, num_rows * row_len)
    return tf.reshape(found, [num_rows, row_len])[:, :vocab_size]


def mark_tokens(ids, vocab_size, where=None):
    """Marks which ids occur: bool[X, V], the arguments as of `count_tokens`."""
    return count_tokens(ids, vocab_size, where) > 0


def mark_ids(ids, scores):
    """Marks a few ids that are the same for all rows, as bool[1, V]."""
    ids = tf.constant(ids, tf.int32, shape=[1, len(ids)])
    return mark_tokens(ids, vocab_size_of(scores))


def ban(scores, banned):
    """Sets the scores to -inf where `banned` is True; both broadcast to [X, V]."""
    return tf.where(banned, tf.constant(float("-inf"), scores.dtype), scores)


def known_positions(tokens, length):
    """Tells which columns of the token buffer are filled, as bool[1, T]."""
    return (tf.range(tf.shape(tokens)[1]) < length)[None, :]


def rows_per_document(scores, document_values):
    """Gives K where `scores` has B * K rows and `document_values` has B."""
    return tf.shape(scores)[0] // tf.shape(document_values)[0]


def repeat_for_beams(document_values, scores):
    """Repeats values of documents, [B, ...], for their beams, [X, ...]."""
    beams = rows_per_document(scores, document_values)
    return tf.repeat(document_values, beams, axis=0)
