"""How wrong input is refused, eagerly and in a graph.

What is known while tracing is refused there and then. Values are checked eagerly with
a ValueError and inside a graph with an assertion in the same words; XLA compiles no
assertions, so there only the former is left.
"""

import tensorflow as tf


def input_error(message):
    """A ValueError of one line, for a user's mistake.

    Keras lists all arguments of the call after what a layer raises, unless marked so.
    It is no class of its own: AutoGraph would turn that into an error of its own.
    """
    error = ValueError(message)
    error._keras_call_info_injected = True
    return error


def refuse_where(bad, tensor, before, after):
    """Refuses a tensor with wrong entries, naming the largest of them.

    Args:
        bad: bool, shape of `tensor`.
        tensor: int tensor.
        before: string, the message up to the entry.
        after: string, the message from there on.

    Returns:
        `tensor`; in a graph what is computed from it comes after the check.

    Raises:
        ValueError: in eager execution.
    """
    ok = ~tf.reduce_any(bad)
    if tf.executing_eagerly() and ok:
        return tensor
    worst = tf.reduce_max(tf.where(bad, tensor, tensor.dtype.min))
    if tf.executing_eagerly():
        raise input_error(f"{before} {worst.numpy()}{after}")
    return only_after(ok, [before, worst, after], tensor)


def only_after(ok, message, tensor):
    """Returns `tensor`, in a graph only once `ok` was found true.

    Args:
        ok: bool[].
        message: list of strings and tensors, joined where `ok` is False.
        tensor: any tensor.

    Returns:
        `tensor`.
    """
    check = tf.debugging.Assert(ok, message)
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(tensor)
