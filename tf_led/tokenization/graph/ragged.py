"""Rows of ids in TensorFlow ops: put together, cut and padded."""

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


def as_utf8(texts):
    """Replaces invalid UTF-8 as `bytes.decode(errors="replace")` does."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")


def with_space(texts):
    """Puts a space before texts that start with none."""
    starts = tf.strings.substr(texts, 0, 1) == " "
    return tf.where(starts, texts, tf.strings.join([" ", texts]))


def place(pieces, plain_ids, plain_piece, num_rows):
    """Puts the ids of plain text between those of the added tokens.

    Args:
        pieces: Pieces.
        plain_ids: int32[K]. The ids of the pieces that are text, in order.
        plain_piece: int64[K]. The piece of each.
        num_rows: int64 scalar. The number of texts.

    Returns:
        int32 ragged [num_rows, (S)].
    """
    is_token = pieces.token_id >= 0
    counts = tf.math.unsorted_segment_sum(
        tf.ones_like(plain_piece), plain_piece, tf.size(is_token)
    )
    counts = tf.where(is_token, tf.ones_like(counts), counts)
    piece = owners(counts)
    ids = tf.gather(pieces.token_id, piece)
    ids = tf.tensor_scatter_nd_update(ids, tf.where(ids < 0), plain_ids)
    row = tf.gather(pieces.row, piece)
    return tf.RaggedTensor.from_value_rowids(ids, row, num_rows, validate=False)


def cut(ids, max_length, from_left):
    """Keeps at most `max_length` ids of each row, the last ones with `from_left`."""
    row = row_index(ids)
    place = tf.range(tf.size(row)) - tf.cast(tf.gather(ids.row_starts(), row), tf.int32)
    if from_left:
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        is_kept = place >= tf.gather(lengths - max_length, row)
    else:
        is_kept = place < max_length
    kept = tf.where(is_kept)[:, 0]
    return tf.RaggedTensor.from_value_rowids(
        tf.gather(ids.values, kept), tf.gather(row, kept), ids.nrows(), validate=False
    )


def pad(ids, filling, multiple, on_left):
    """Makes ragged rows one tensor, its width a multiple of `multiple`."""
    padded = ids.to_tensor(default_value=filling)
    excess = -tf.shape(padded)[1] % (multiple or 1)
    padded = tf.pad(padded, [[0, 0], [0, excess]], constant_values=filling)
    if not on_left:
        return padded
    # Each row backwards, its padding still behind it; then all of it backwards.
    turned = tf.reverse_sequence(padded, ids.row_lengths(), seq_axis=1)
    return turned[:, ::-1]
