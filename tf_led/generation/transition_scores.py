"""The score that each chosen token had when it was chosen."""

import tensorflow as tf


def compute_transition_scores(
    sequences, scores, beam_indices=None, normalize_logits=False
):
    """Looks up, in the scores of every step, those of the tokens that were chosen.

    Args:
        sequences: int32[R, length], generated.
        scores: tuple of float32[X, V], one per step, or float32[steps, X, V].
        beam_indices: int32[R, steps], the row of `scores` that each token was chosen
            from, below 0 after the last; None where R = X and row r was always r.
        normalize_logits: whether to take the log-softmax of the scores first.

    Returns:
        float32[R, steps'], up to the last step that any sequence needed; 0 after the
        end of a sequence that has beam indices.

    Source: transformers 5.23, `compute_transition_scores`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.transition_scores import compute_transition_scores
        >>> scores = (tf.constant([[-1.0, -2.0]]), tf.constant([[-3.0, -4.0]]))
        >>> compute_transition_scores([[0, 1, 0]], scores).numpy().tolist()
        [[-2.0, -3.0]]
    """
    sequences = tf.cast(sequences, tf.int32)
    stacked = tf.convert_to_tensor(scores)  # [steps, X, V]
    if normalize_logits:
        stacked = tf.nn.log_softmax(stacked)
    if beam_indices is None:
        rows = tf.range(tf.shape(stacked)[1])[:, None]
        beam_indices = tf.tile(rows, [1, tf.shape(stacked)[0]])
    beam_indices = tf.cast(beam_indices, tf.int32)
    is_chosen = beam_indices >= 0
    steps = tf.reduce_max(tf.reduce_sum(tf.cast(is_chosen, tf.int32), axis=1))
    beam_indices, is_chosen = beam_indices[:, :steps], is_chosen[:, :steps]
    chosen = sequences[:, tf.shape(sequences)[1] - steps :]
    step = tf.broadcast_to(tf.range(steps), tf.shape(chosen))
    where = tf.stack([step, tf.maximum(beam_indices, 0), chosen], axis=-1)
    return tf.where(is_chosen, tf.gather_nd(stacked, where), 0.0)
