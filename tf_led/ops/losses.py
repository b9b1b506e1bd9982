"""Losses over the labels that count, in float32.

A loss returns `(loss_sum, label_count)`: the sum over what counts, and how much counts,
float32[] each; float32[P] where the loss is the mean of P means. `mean_loss` divides.
"""

import tensorflow as tf

from tf_led.ops.masks import mask_value
from tf_led.utils.annotations import TensorLike

# A label of this value does not count, as in PyTorch.
IGNORED_LABEL = -100


def shift_tokens_right(
    input_ids: TensorLike, pad_token_id: int, decoder_start_token_id: int
) -> tf.Tensor:
    """Puts the start token in front and drops the last token.

    Args:
        input_ids: int[B, T], token ids or labels; -100 counts as padding.
        pad_token_id: Python int, put where -100 was.
        decoder_start_token_id: Python int, the first token of every row.

    Returns:
        int[B, T], dtype of `input_ids`.

    Raises:
        ValueError: if `pad_token_id` or `decoder_start_token_id` is None.

    Source: transformers' function of the same name.

    Example:
        >>> from tf_led import shift_tokens_right
        >>> shift_tokens_right([[5, 7, -100]], 1, 2).numpy().tolist()
        [[2, 5, 7]]
    """
    for name, value in (
        ("pad_token_id", pad_token_id),
        ("decoder_start_token_id", decoder_start_token_id),
    ):
        if value is None:
            raise ValueError(f"`{name}` is None; give the id, or set it in the config.")
    input_ids = tf.convert_to_tensor(input_ids)
    start = tf.fill([tf.shape(input_ids)[0], 1], decoder_start_token_id)
    shifted = tf.concat([tf.cast(start, input_ids.dtype), input_ids[:, :-1]], axis=1)
    shifted = tf.ensure_shape(shifted, input_ids.shape)
    pad = tf.constant(pad_token_id, input_ids.dtype)
    return tf.where(shifted == IGNORED_LABEL, pad, shifted)


def mean_loss(loss_sum, label_count):
    """Divides what a loss returns.

    Args:
        loss_sum: float32[] or float32[P].
        label_count: float32 of the same shape: the labels, or the sum of their weights.

    Returns:
        float32[], the mean of the P quotients; a quotient is 0 where no label counts.

    Example:
        >>> from tf_led.ops.losses import mean_loss
        >>> float(mean_loss([3.0, 10.0], [2.0, 4.0]))
        2.0
    """
    return tf.reduce_mean(tf.math.divide_no_nan(loss_sum, label_count))


def counted_labels(labels, pad_token_id):
    """Which labels count: neither -100 nor padding.

    Args:
        labels: int[B, T].
        pad_token_id: Python int, or None if there is no padding token.

    Returns:
        bool[B, T].

    Example:
        >>> from tf_led.ops.losses import counted_labels
        >>> counted_labels([[5, 1, -100]], pad_token_id=1).numpy().tolist()
        [[True, False, False]]
    """
    labels = tf.convert_to_tensor(labels)
    counted = labels != IGNORED_LABEL
    return counted if pad_token_id is None else counted & (labels != pad_token_id)


def label_weights(counted, weights=None):
    """How much each label counts: 0, or its weight.

    Args:
        counted: bool[B, T].
        weights: float[B] or float[B, T], or None for 1.

    Returns:
        float32[B, T].
    """
    counted = tf.cast(counted, tf.float32)
    if weights is None:
        return counted
    weights = tf.cast(weights, tf.float32)
    return counted * (
        weights if weights.shape.rank == 2 else tf.reshape(weights, [-1, 1])
    )


def token_cross_entropy(labels, logits, counted, label_smoothing=0.0):
    """Cross-entropy of each label, 0 where it does not count, in float32.

    Args:
        labels: int[B, T].
        logits: float[B, T, V].
        counted: bool[B, T].
        label_smoothing: Python float from 0 to 1, the fraction of the target that is
            spread evenly over the vocabulary.

    Returns:
        float32[B, T].
    """
    logits = tf.cast(logits, tf.float32)
    safe_labels = tf.where(counted, labels, tf.zeros([], labels.dtype))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(safe_labels, logits)
    if label_smoothing:
        spread = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        loss = (1 - label_smoothing) * loss + label_smoothing * spread
    return tf.where(counted, loss, 0.0)


def masked_cross_entropy(
    labels, logits, *, pad_token_id, weights=None, label_smoothing=0.0
):
    """Cross-entropy over the labels that count.

    Args:
        labels: int[B, T]. -100 and `pad_token_id` do not count.
        logits: float[B, T, V].
        pad_token_id: Python int or None.
        weights: float[B] or float[B, T], or None. Each label's loss, and its part in
            the count, are multiplied by its weight.
        label_smoothing: Python float, see `token_cross_entropy`.

    Returns:
        (loss_sum, label_count), float32[] each.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import masked_cross_entropy, mean_loss
        >>> logits = tf.zeros([1, 2, 4])
        >>> loss = masked_cross_entropy([[3, -100]], logits, pad_token_id=1)
        >>> [float(part) for part in loss], float(mean_loss(*loss))
        ([1.3862943649291992, 1.0], 1.3862943649291992)
    """
    labels = tf.convert_to_tensor(labels)
    counted = counted_labels(labels, pad_token_id)
    loss = token_cross_entropy(labels, logits, counted, label_smoothing)
    weights = label_weights(counted, weights)
    return tf.reduce_sum(loss * weights), tf.reduce_sum(weights)


def class_cross_entropy(labels, logits, *, weights=None):
    """Cross-entropy over the documents that have a label.

    Args:
        labels: int[B]. -100 does not count.
        logits: float[B, E].
        weights: float[B] or None. Each document's loss, and its part in the count, are
            multiplied by its weight.

    Returns:
        (loss_sum, label_count), float32[] each.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import class_cross_entropy
        >>> loss_sum, label_count = class_cross_entropy([3, -100], tf.zeros([2, 4]))
        >>> float(loss_sum), float(label_count)
        (1.3862943649291992, 1.0)
    """
    labels = tf.convert_to_tensor(labels)
    if weights is not None:
        weights = tf.reshape(weights, [-1, 1])
    return masked_cross_entropy(
        labels[:, None], logits[:, None], pad_token_id=None, weights=weights
    )


def span_cross_entropy(positions, logits, *, weights=None):
    """Cross-entropy over the documents whose position is among the tokens.

    Args:
        positions: int[B]. Below 0 counts as 0; from S on, or where the logit is hidden
            (at most `mask_value`), it does not count.
        logits: float[B, S].
        weights: float[B] or None, as in `class_cross_entropy`.

    Returns:
        (loss_sum, label_count), float32[] each.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import span_cross_entropy
        >>> loss_sum, label_count = span_cross_entropy([3, 11], tf.zeros([2, 4]))
        >>> float(loss_sum), float(label_count)
        (1.3862943649291992, 1.0)
    """
    length = tf.shape(logits)[1]
    clamped = tf.clip_by_value(
        tf.cast(positions, tf.int64), 0, tf.cast(length, "int64")
    )
    clamped = tf.cast(clamped, tf.int32)
    inside = clamped < length
    safe = tf.where(inside, clamped, 0)
    hidden = tf.gather(logits, safe, batch_dims=1) <= mask_value(logits.dtype)
    labels = tf.where(inside & ~hidden, clamped, IGNORED_LABEL)
    return class_cross_entropy(labels, logits, weights=weights)


def squared_error(targets, logits, *, weights=None):
    """Squared difference of each document, the mean of its E values.

    Args:
        targets: float[B, E].
        logits: float[B, E].
        weights: float[B] or None, as in `class_cross_entropy`.

    Returns:
        (loss_sum, label_count), float32[] each; every document counts.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import squared_error
        >>> loss_sum, label_count = squared_error([[3.0], [1.0]], tf.zeros([2, 1]))
        >>> float(loss_sum), float(label_count)
        (10.0, 2.0)
    """
    loss = tf.math.squared_difference(
        tf.cast(logits, tf.float32), tf.cast(targets, tf.float32)
    )
    return _sum_over_documents(loss, weights)


def binary_cross_entropy(targets, logits, *, weights=None):
    """Loss of a yes or no for each class, the mean of a document's E classes.

    Args:
        targets: float[B, E], from 0 to 1.
        logits: float[B, E].
        weights: float[B] or None, as in `class_cross_entropy`.

    Returns:
        (loss_sum, label_count), float32[] each; every document counts.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.losses import binary_cross_entropy
        >>> loss_sum, label_count = binary_cross_entropy([[1.0, 0.0]], tf.zeros([1, 2]))
        >>> float(loss_sum), float(label_count)
        (0.6931471824645996, 1.0)
    """
    loss = tf.nn.sigmoid_cross_entropy_with_logits(
        tf.cast(targets, tf.float32), tf.cast(logits, tf.float32)
    )
    return _sum_over_documents(loss, weights)


def _sum_over_documents(loss, weights):
    """float32[B, E] -> (loss_sum, label_count), each document with its weight."""
    loss = tf.reduce_mean(loss, axis=-1)  # [B]
    if weights is None:
        weights = tf.ones_like(loss)
    weights = tf.reshape(tf.cast(weights, tf.float32), [-1])
    return tf.reduce_sum(loss * weights), tf.reduce_sum(weights)
