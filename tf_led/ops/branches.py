"""Choosing among ways to compute the same thing, with a gradient that chooses again."""

import functools

import tensorflow as tf


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
        >>> from tf_led.ops.branches import choose_branch
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
