"""Cross-entropy over the labels that count."""

import tensorflow as tf


def count_labels(labels, pad_token_id):
    """Which labels count: neither -100 nor padding.

    Args:
        labels: int[B, T].
        pad_token_id: Python int, or None if there is no padding token.

    Returns:
        bool[B, T].

    Example:
        >>> from tf_led.ops.losses import count_labels
        >>> count_labels([[5, 1, -100]], pad_token_id=1).numpy().tolist()
        [[True, False, False]]
    """
    labels = tf.convert_to_tensor(labels)
    counted = labels != -100
    return counted if pad_token_id is None else counted & (labels != pad_token_id)


def token_cross_entropy(labels, logits, counted):
    """Cross-entropy of each label, 0 where it does not count, in float32.

    Args:
        labels: int[B, T].
        logits: float[B, T, V].
        counted: bool[B, T].

    Returns:
        float32[B, T].
    """
    safe_labels = tf.where(counted, labels, tf.zeros([], labels.dtype))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
        safe_labels, tf.cast(logits, tf.float32)
    )
    return tf.where(counted, loss, 0.0)


def masked_cross_entropy(labels, logits, *, pad_token_id, weights=None):
    """Mean cross-entropy over the labels that count; 0 if none does.

    Args:
        labels: int[B, T]. -100 and `pad_token_id` do not count.
        logits: float[B, T, V].
        pad_token_id: Python int or None.
        weights: float[B] or float[B, T], or None. Scales each label's loss and its
            share in the mean.

    Returns:
        float32[].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import masked_cross_entropy
        >>> logits = tf.zeros([1, 2, 4])
        >>> masked_cross_entropy([[3, -100]], logits, pad_token_id=1).numpy()
        np.float32(1.3862944)
    """
    labels = tf.convert_to_tensor(labels)
    counted = count_labels(labels, pad_token_id)
    loss = token_cross_entropy(labels, logits, counted)
    share = tf.cast(counted, tf.float32)
    if weights is not None:
        weights = tf.cast(weights, tf.float32)
        weights = weights if weights.shape.rank == 2 else tf.reshape(weights, [-1, 1])
        loss, share = loss * weights, share * weights
    return tf.math.divide_no_nan(tf.reduce_sum(loss), tf.reduce_sum(share))
