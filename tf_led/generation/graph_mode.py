"""Telling eager execution, graphs and XLA apart."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util


def is_under_xla():
    """Tells whether the code that is being traced will be compiled by XLA.

    There is no public name for it: `tf.function(jit_compile=True)` marks the graph that
    it traces. A `tf.function` without it that was traced before an XLA one called it is
    not marked.

    Returns:
        bool; False eagerly.
    """
    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))
