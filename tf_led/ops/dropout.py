"""Dropout with a given seed: a recomputed forward pass draws the same mask."""

import tensorflow as tf


def dropout(tensor, rate, seed):
    """Drops entries at random and scales up the rest.

    Args:
        tensor: float tensor.
        rate: Python float in [0, 1), the share dropped. 0 returns `tensor` itself.
        seed: int32[2], or None for no dropout. The same seed drops the same entries.

    Returns:
        Tensor of the same shape and dtype.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.dropout import dropout
        >>> set(dropout(tf.ones(100), 0.5, tf.constant([3, 5])).numpy().tolist())
        {0.0, 2.0}
    """
    if seed is None or rate == 0:
        return tensor
    return tf.nn.experimental.stateless_dropout(tensor, rate, seed=seed)


def fold_seed(seed, number):
    """Derives the seed of part `number` of a computation; None stays None."""
    return None if seed is None else tf.random.fold_in(seed, number)
