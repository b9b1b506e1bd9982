"""Hypotheses in beam slots: which slot wrote which token, and picking slots."""

import tensorflow as tf


def own_slots(batch_size, width, length):
    """Says that every hypothesis was written by the slot it is in.

    Args:
        batch_size: int or int32[], B.
        width: int, K.
        length: int, T.

    Returns:
        int32[B, K, T] with `k` at `[b, k, t]`.
    """
    return tf.broadcast_to(tf.range(width)[:, None], [batch_size, width, length])


def pick_slots(tensor, slots):
    """Picks slots within each document.

    Args:
        tensor: [B, K, ...].
        slots: int32[B, M], each in 0..K-1.

    Returns:
        [B, M, ...] with `tensor[b, slots[b, m]]` at `[b, m]`.
    """
    return tf.gather(tensor, slots, axis=1, batch_dims=1)


def write_column(tensor, position, values):
    """Writes one entry of the last axis.

    Args:
        tensor: [B, K, T].
        position: int32[].
        values: [B, K] or [K], of the dtype of `tensor`.

    Returns:
        [B, K, T], `tensor` with `values` at `[..., position]`.
    """
    # A `where` over a small tensor: it costs less than a scatter, and XLA fuses it.
    is_here = tf.range(tf.shape(tensor)[-1]) == position
    return tf.where(is_here, values[..., None], tensor)


def follow(ancestors, slots, next_position):
    """Carries the ancestry over to the hypotheses that go on.

    Args:
        ancestors: int32[B, K, T].
        slots: int32[B, K]: slot `k` goes on with the hypothesis of `slots[b, k]`.
        next_position: int32[], where the next token goes; each slot writes its own.

    Returns:
        int32[B, K, T].
    """
    own = tf.range(tf.shape(ancestors)[1])
    return write_column(pick_slots(ancestors, slots), next_position, own)
