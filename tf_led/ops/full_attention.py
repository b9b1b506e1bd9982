"""Plain attention of T queries to K keys, for the decoder."""

import tensorflow as tf

from tf_led.ops.dropout import dropout
from tf_led.ops.masks import masked_softmax


def full_attention(query, key, value, *, visible, dropout_rate=0.0, seed=None):
    """Attends from every query to every visible key.

    Args:
        query: float[B, N, T, H], already scaled by 1/sqrt(H).
        key: float[B, N, K, H].
        value: float[B, N, K, H].
        visible: bool that broadcasts to [B, N, T, K]. True = may be seen.
        dropout_rate: Python float, share of the attention dropped.
        seed: int32[2], or None for no dropout.

    Returns:
        context float[B, N, T, H] and probs float[B, N, T, K], the latter before
        dropout. A query that sees nothing gives equal shares to all keys.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.full_attention import full_attention
        >>> query, key = tf.zeros([1, 1, 1, 2]), tf.zeros([1, 1, 4, 2])
        >>> seen = tf.constant([True, True, False, False])
        >>> full_attention(query, key, key, visible=seen)[1].numpy().tolist()
        [[[[0.5, 0.5, 0.0, 0.0]]]]
    """
    scores = tf.matmul(query, key, transpose_b=True)  # [B, N, T, K]
    probs = masked_softmax(scores, visible)
    return tf.matmul(dropout(probs, dropout_rate, seed), value), probs
