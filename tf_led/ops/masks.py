"""Boolean masks, True = may be used, and the one place where they meet scores."""

import numpy as np
import tensorflow as tf

from tf_led.ops.control_flow import in_xla


def mask_value(dtype):
    """Returns a score that softmax turns to 0 and that stays finite in `dtype`.

    Args:
        dtype: a float dtype.

    Returns:
        Python float. Half of the lowest number: a fully masked row stays finite.

    Example:
        >>> from tf_led.ops.masks import mask_value
        >>> mask_value("float16")
        -32752.0
    """
    return float(tf.as_dtype(dtype).min) / 2


def masked_softmax(scores, attention_mask):
    """Softmax over the last axis, in float32, of what may be attended to.

    Args:
        scores: float[..., K].
        attention_mask: bool that broadcasts to `scores`. True = may be attended to. A
            row that is False throughout gives equal probabilities, never NaN.

    Returns:
        Probabilities of `scores`' shape and dtype.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.masks import masked_softmax
        >>> masked_softmax(tf.zeros([1, 3]), tf.constant([[True, True, False]])).numpy()
        array([[0.5, 0.5, 0. ]], dtype=float32)
    """
    bias = mask_bias(attention_mask, softmax_dtype(scores.dtype))
    return softmax_with_bias(scores, bias)


def softmax_with_bias(scores, bias):
    """Softmax over the last axis, in float32, of the sum of scores and bias.

    Args:
        scores: float[..., K].
        bias: what broadcasts to `scores`, of dtype `softmax_dtype(scores.dtype)`.

    Returns:
        Probabilities of `scores`' shape and dtype.
    """
    return tf.cast(tf.nn.softmax(tf.cast(scores, bias.dtype) + bias), scores.dtype)


def attention_probs(query, key, attention_mask, scale):
    """Softmax, in float32, of queries' scaled products with the keys they may see.

    Outside XLA, TensorFlow on a CPU computes the products, their scaling and the mask
    in one pass. It does so only for a constant scale other than 1 that follows the
    product, and a mask that is the same for all heads.

    Args:
        query: float[B, N, T, H].
        key: float[B, N, H, K].
        attention_mask: bool[B, 1, T, K]. True = may be attended to.
        scale: Python float, factor of the products.

    Returns:
        Attention probabilities float[B, N, T, K], dtype of `query`; equal ones in a row
        that may attend to nothing.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.masks import attention_probs
        >>> query, key = tf.ones([1, 1, 1, 3]), tf.ones([1, 1, 3, 2])
        >>> mask = tf.constant([[[[True, False]]]])
        >>> attention_probs(query, key, mask, 0.5).numpy().tolist()
        [[[[1.0, 0.0]]]]
    """
    dtype = query.dtype
    if softmax_dtype(dtype) != dtype:
        # Scaled before the product, which might leave float16.
        return masked_softmax(tf.matmul(query * scale, key), attention_mask)
    scores = tf.matmul(query, key) * tf.constant(scale, dtype)
    return tf.nn.softmax(scores + mask_bias(attention_mask, dtype))


def softmax_dtype(dtype):
    """The dtype in which softmax of scores of `dtype` is to be taken.

    oneDNN's of bfloat16 computes in float32 (a test pins it), where a cast would be a
    float32 copy of all scores; float16 and XLA need the cast.
    """
    is_safe = dtype == tf.float32 or (dtype == tf.bfloat16 and not in_xla())
    return tf.as_dtype(dtype) if is_safe else tf.float32


def mask_bias(attention_mask, dtype):
    """What is added to scores: cheaper than choosing where heads share a mask."""
    masked = tf.constant(mask_value(dtype), dtype)
    return tf.where(attention_mask, tf.zeros([], dtype), masked)


def band_mask(query_len, keys_beside, radius):
    """Tells which keys around a block lie at most `radius` positions from a query.

    The keys are those of the block itself and `keys_beside` more on either side.

    Args:
        query_len: Python int, queries in a block.
        keys_beside: Python int, at least `radius`.
        radius: Python int, positions seen on either side.

    Returns:
        bool[query_len, keys_beside + query_len + keys_beside], a constant: in a loop
        nothing is computed for it.

    Example:
        >>> from tf_led.ops.masks import band_mask
        >>> band_mask(2, 3, 1).numpy().astype(int)
        array([[0, 0, 1, 1, 1, 0, 0, 0],
               [0, 0, 0, 1, 1, 1, 0, 0]])
    """
    query_idx = np.arange(query_len)[:, None]
    key_idx = np.arange(query_len + 2 * keys_beside)[None, :] - keys_beside
    return tf.constant(np.abs(key_idx - query_idx) <= radius)


def causal_mask(query_len, key_len):
    """Which keys come at or before each query, the last query being the last key.

    Args:
        query_len: int or int32[], T.
        key_len: int or int32[], P + T: P keys precede the first query.

    Returns:
        bool[query_len, key_len].

    Example:
        >>> from tf_led.ops.masks import causal_mask
        >>> causal_mask(2, 3).numpy().astype(int)
        array([[1, 1, 0],
               [1, 1, 1]])
    """
    query_idx = tf.range(query_len)[:, None] + (key_len - query_len)
    return tf.range(key_len)[None, :] <= query_idx
