"""What runs before what, where the data alone would not say."""

import tensorflow as tf


def wait_for(tensor, other):
    """Has all that reads a tensor wait until another one is there.

    A graph runs whatever is ready. What many layers make of one input would all be made
    at once, and held until the last of them has come to its turn.

    Args:
        tensor: any tensor.
        other: tensor to wait for.

    Returns:
        `tensor`; no copy is made.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.order import wait_for
        >>> wait_for(tf.constant(7), tf.constant(0.5)).numpy()
        np.int32(7)
    """
    with tf.control_dependencies([other]):
        return tf.identity(tensor)


@tf.custom_gradient
def pass_on(tensor):
    """Hands a tensor to its next reader, so that readers' gradients add up one by one.

    Readers of one tensor have their gradients kept until all are there to be added.
    If each passes it on to the next, a gradient is added to the sum of those after it.

    Args:
        tensor: float tensor.

    Returns:
        `tensor`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.order import pass_on
        >>> pass_on(tf.constant(0.5)).numpy()
        np.float32(0.5)
    """
    # TensorFlow's optimisers look through an Identity, and make one sum of two.
    return tf.identity(tensor), lambda upstream: tf.raw_ops.Snapshot(input=upstream)
