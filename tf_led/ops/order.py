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
