"""Sums over the replicas of a `tf.distribute` strategy."""

import tensorflow as tf


def num_replicas():
    """How many replicas share a step; 1 without a strategy.

    Returns:
        Python int.
    """
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(tensor):
    """Sums a tensor over all replicas; each of them gets the sum.

    Args:
        tensor: of any number dtype and shape, the same shape on every replica.

    Returns:
        Tensor like `tensor`; `tensor` itself where there is one replica, or outside of
        a step.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.replicas import sum_over_replicas
        >>> int(sum_over_replicas(tf.constant(3)))
        3
    """
    if num_replicas() == 1 or tf.distribute.in_cross_replica_context():
        return tensor
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensor)


def same_on_all(number, strategy):
    """Whether every worker has the same number.

    Args:
        number: int >= 0. All workers must call this at the same time.
        strategy: `tf.distribute.Strategy`.

    Returns:
        bool, the same on all of them.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.replicas import same_on_all
        >>> same_on_all(7, tf.distribute.get_strategy())
        True
    """
    values = tf.constant([number, number**2], tf.float64)
    sums = tf.function(lambda: strategy.run(sum_over_replicas, [values]))()
    total, squares = strategy.experimental_local_results(sums)[0].numpy()
    # The mean of squares is the square of the mean where nothing varies.
    return bool(strategy.num_replicas_in_sync * squares == total**2)
