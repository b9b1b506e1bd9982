"""Telling eager execution, graphs and XLA apart."""

import functools

import tensorflow as tf
from tensorflow.python.ops import control_flow_util


def in_xla():
    """Tells whether the code that is being traced will be compiled by XLA.

    XLA needs static shapes, so the number of global tokens, which is data everywhere
    else, must be bounded there. TensorFlow has no public name for this question:
    `tf.function(jit_compile=True)` marks the graph that it traces. A `tf.function`
    without it that was traced before an XLA one called it is not marked.

    Returns:
        bool. False in eager execution and in a plain `tf.function`.

    Example:
        >>> from tf_led.ops.control_flow import in_xla
        >>> in_xla()
        False
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


def control_dependency(tensor, after):
    """Makes all that reads a tensor wait until another tensor has been computed.

    A graph runs whatever is ready. What many layers make of one input would all be made
    at once, and held until the last of them has come to its turn.

    Args:
        tensor: any tensor.
        after: tensor to wait for.

    Returns:
        `tensor`; no copy is made.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.control_flow import control_dependency
        >>> control_dependency(tf.constant(7), tf.constant(0.5)).numpy()
        np.int32(7)
    """
    with tf.control_dependencies([after]):
        return tf.identity(tensor)


@tf.custom_gradient
def chain_gradients(tensor):
    """Gives a tensor to its next reader, so that readers' gradients add up one by one.

    TensorFlow keeps the gradients of a tensor's readers until all are there, and then
    adds them. If each reader takes the tensor from the one before it, its gradient is
    added to the sum of those after it.

    Args:
        tensor: float tensor.

    Returns:
        `tensor`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.control_flow import chain_gradients
        >>> chain_gradients(tf.constant(0.5)).numpy()
        np.float32(0.5)
    """
    # TensorFlow's optimisers look through an Identity, and make one sum of two.
    return tf.identity(tensor), lambda upstream: tf.raw_ops.Snapshot(input=upstream)
