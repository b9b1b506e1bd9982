"""Beams and their history: which beam wrote which token of a hypothesis."""

import tensorflow as tf


def own_beams(batch_size, width, length):
    """Makes the beam history of hypotheses that each beam wrote by itself.

    Args:
        batch_size: int or int32[], B.
        width: int, K.
        length: int, T.

    Returns:
        int32[B, K, T] with `k` at `[b, k, t]`.
    """
    return tf.broadcast_to(tf.range(width)[:, None], [batch_size, width, length])


def pick_beams(tensor, beam_index):
    """Picks beams within each document.

    Args:
        tensor: [B, K, ...].
        beam_index: int32[B, M], each in 0..K-1.

    Returns:
        [B, M, ...] with `tensor[b, beam_index[b, m]]` at `[b, m]`.
    """
    return tf.gather(tensor, beam_index, axis=1, batch_dims=1)


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


def extend_history(beam_history, beam_index, next_position):
    """Gives the beam history of the hypotheses that go on.

    Args:
        beam_history: int32[B, K, T].
        beam_index: int32[B, K]. Beam `k` continues what beam `beam_index[b, k]` had.
        next_position: int32[], where the next token goes; each beam writes its own.

    Returns:
        int32[B, K, T].
    """
    own = tf.range(tf.shape(beam_history)[1])
    return write_column(pick_beams(beam_history, beam_index), next_position, own)
