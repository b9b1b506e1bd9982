"""Vectors that hold many short ones behind each other."""

import tensorflow as tf


def owners(lengths):
    """The index of the short vector that each element is of.

    `tf.repeat` and `RaggedTensor.value_rowids` build a mask of all vectors by the
    longest, which one long word among many short ones makes gigabytes of.

    Args:
        lengths: int32 or int64 [P]. The number of elements of each, 0 or more.

    Returns:
        [N], dtype of `lengths`, where N is the sum: 0 for the first vector's elements,
        1 for the second's and so on.
    """
    begins = tf.cumsum(lengths, exclusive=True)[1:]
    # Vectors without elements begin where the next one does, the last at the end.
    size = tf.reduce_sum(lengths)
    steps = tf.scatter_nd(begins[:, None], tf.ones_like(begins), size[None] + 1)
    return tf.cumsum(steps)[:-1]


def row_index(ragged):
    """The row of each value of a ragged tensor: int64[N]."""
    return owners(ragged.row_lengths())


def shift(values, offset, filling):
    """Moves values `offset` places to the left; a negative offset moves right."""
    size = tf.size(values)
    gap = tf.fill([tf.minimum(abs(offset), size)], tf.cast(filling, values.dtype))
    if offset > 0:
        return tf.concat([values[offset:], gap], 0)
    return tf.concat([gap, values[: tf.maximum(size + offset, 0)]], 0)


def neighbour(values, owner, offset, beyond):
    """The value `offset` places on of the same owner, `beyond` where there is none."""
    moved = shift(values, offset, beyond)
    return tf.where(shift(owner, offset, -1) == owner, moved, beyond)
