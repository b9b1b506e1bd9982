"""Layer normalisation in few kernels, for a GPU."""

import tensorflow as tf


def few_kernels_norm(rows, gamma, beta, epsilon, units=None):
    """Normalises each row to mean 0 and variance 1, then scales and shifts its entries.

    As batch normalisation of one example in which every row is a channel: for that
    there is one kernel, where mean, variance, root and the rest take eight.

    Args:
        rows: float[X, D].
        gamma: float32[D].
        beta: float32[D].
        epsilon: Python float, added to the variance.
        units: ones and zeros, float32[X] each, that a caller in a loop made before it;
            None to make them here.

    Returns:
        Tensor like `rows`; computed in float32.

    Source: Layer Normalization (arXiv 1607.06450); by batch normalisation as in
    `keras.layers.LayerNormalization` of Keras 2.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.layer_norm import few_kernels_norm
        >>> rows = tf.constant([[1.0, 3.0], [5.0, 5.0]])
        >>> few_kernels_norm(rows, tf.ones(2), tf.zeros(2), 1e-5).numpy().round(3)
        array([[-1.,  1.],
               [ 0.,  0.]], dtype=float32)
    """
    if units is None:
        ones = tf.ones(tf.shape(rows)[:1])
        units = ones, tf.zeros_like(ones)
    as_image = tf.expand_dims(tf.expand_dims(tf.cast(rows, tf.float32), 0), 3)
    normed = tf.raw_ops.FusedBatchNormV3(
        x=as_image,  # [1, X, D, 1]
        scale=units[0],
        offset=units[1],
        mean=[],
        variance=[],
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,
    ).y
    return tf.cast(tf.squeeze(normed, [0, 3]) * gamma + beta, rows.dtype)
