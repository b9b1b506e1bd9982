"""Knowing whether the code being traced will be compiled by XLA."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util


def in_xla():
    """Tells whether the current trace is inside `jit_compile=True`.

    XLA needs static shapes, so the number of global tokens, which is data everywhere
    else, must be bounded there. TensorFlow has no public name for this question.

    Returns:
        bool. False in eager execution and in a plain `tf.function`.

    Example:
        >>> from tf_led.ops.xla import in_xla
        >>> in_xla()
        False
    """
    return control_flow_util.GraphOrParentsInXlaContext(
        tf.compat.v1.get_default_graph()
    )
