"""Layer normalisation in few kernels, for a GPU, and with little kept, for training."""

import tensorflow as tf

from tf_led.ops.control_flow import control_dependency
from tf_led.ops.dropout import dropout


def residual_norm(residual, update, gamma, beta, *, epsilon, dropout_rate, seed):
    """Adds an update, after dropout, to what it updates, and normalises each row.

    For training: the gradient keeps `residual` and `update` alone, of which the first
    is kept anyway, and computes their sum and what was dropped again. Automatic
    differentiation would keep three more tensors of that size, and a mask.

    Args:
        residual: float[..., D].
        update: float[..., D].
        gamma: float32[D].
        beta: float32[D].
        epsilon: Python float, added to the variance.
        dropout_rate: Python float in [0, 1), the fraction of `update` dropped.
        seed: int32[2].

    Returns:
        Tensor like `residual`; mean, variance and the rest are computed in float32.

    Source: Layer Normalization (arXiv 1607.06450).

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.layer_norm import residual_norm
        >>> rows, seed = tf.constant([[1.0, 3.0]]), tf.constant([3, 5])
        >>> residual_norm(
        ...     rows, rows, tf.ones(2), tf.zeros(2), epsilon=1e-5, dropout_rate=0.0,
        ...     seed=seed).numpy().round(3)
        array([[-1.,  1.]], dtype=float32)
    """

    @tf.custom_gradient
    def run(residual, update, gamma, beta):
        def gradient(upstream):
            again = control_dependency(update, upstream)
            with tf.GradientTape() as tape:
                tape.watch(again)
                dropped = dropout(again, dropout_rate, seed)
            of_sum, of_gamma, of_beta = _norm_gradients(
                residual + dropped, gamma, epsilon, upstream
            )
            return of_sum, tape.gradient(dropped, again, of_sum), of_gamma, of_beta

        total = residual + dropout(update, dropout_rate, seed)
        wide = tf.cast(total, tf.float32)
        mean, variance = tf.nn.moments(wide, -1, keepdims=True)
        normed = tf.nn.batch_normalization(
            wide, mean, variance, offset=beta, scale=gamma, variance_epsilon=epsilon
        )
        return tf.cast(normed, residual.dtype), gradient

    return run(residual, update, gamma, beta)


def _norm_gradients(rows, gamma, epsilon, upstream):
    """Gradients of normalised rows [..., D]: of the rows, of gamma and of beta."""
    wide, upstream = tf.cast(rows, tf.float32), tf.cast(upstream, tf.float32)
    centred = wide - tf.reduce_mean(wide, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), -1, keepdims=True)
    inverse = tf.math.rsqrt(variance + epsilon)  # [..., 1]
    normed = centred * inverse
    scaled = upstream * gamma
    slope = tf.reduce_mean(scaled * normed, -1, keepdims=True)
    of_rows = scaled - tf.reduce_mean(scaled, -1, keepdims=True) - normed * slope
    axes = list(range(rows.shape.rank - 1))
    return (
        tf.cast(of_rows * inverse, rows.dtype),
        tf.reduce_sum(upstream * normed, axes),
        tf.reduce_sum(upstream, axes),
    )


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
