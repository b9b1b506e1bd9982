"""Telling eager execution, graphs and XLA apart."""

import functools

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


def choose_branch(branch, functions, tensors):
    """Runs one of several functions of the same tensors.

    The gradient recomputes the branch that was taken. TensorFlow's own gradient of a
    conditional fails when a branch holds custom gradients and the forward pass sits in
    another `tf.function` than the tape.

    Args:
        branch: int32[], which function to run; a Python int runs that one directly.
        functions: list of functions of `tensors`, each returning a float tensor of the
            same shape; they use no variables but through `tensors`.
        tensors: list of float tensors.

    Returns:
        What the chosen function returns.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.control_flow import choose_branch
        >>> double, square = (lambda x: 2 * x), (lambda x: x * x)
        >>> choose_branch(tf.constant(1), [double, square], [tf.constant(3.0)]).numpy()
        np.float32(9.0)
    """
    if isinstance(branch, int):
        return functions[branch](*tensors)

    @tf.custom_gradient
    def run(*tensors):
        chosen = tf.switch_case(branch, _bind(functions, *tensors))

        def grad(upstream):
            parts = [functools.partial(_gradients, f) for f in functions]
            return tf.switch_case(branch, _bind(parts, tensors, upstream))

        return chosen, grad

    return run(*tensors)


def _bind(functions, *args):
    return [functools.partial(function, *args) for function in functions]


def _gradients(function, tensors, upstream):
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    grads = tape.gradient(
        result, tensors, upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return [tf.convert_to_tensor(grad) for grad in grads]


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
        >>> from tf_led.ops.control_flow import wait_for
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
        >>> from tf_led.ops.control_flow import pass_on
        >>> pass_on(tf.constant(0.5)).numpy()
        np.float32(0.5)
    """
    # TensorFlow's optimisers look through an Identity, and make one sum of two.
    return tf.identity(tensor), lambda upstream: tf.raw_ops.Snapshot(input=upstream)


def in_xla():
    """Tells whether the current trace is inside `jit_compile=True`.

    XLA needs static shapes, so the number of global tokens, which is data everywhere
    else, must be bounded there. TensorFlow has no public name for this question.

    Returns:
        bool. False in eager execution and in a plain `tf.function`.

    Example:
        >>> from tf_led.ops.control_flow import in_xla
        >>> in_xla()
        False
    """
    return control_flow_util.GraphOrParentsInXlaContext(
        tf.compat.v1.get_default_graph()
    )
