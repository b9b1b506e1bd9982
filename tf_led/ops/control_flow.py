"""Eager execution, graphs and XLA told apart; a loop that computes its steps again."""

import contextlib
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


def on_host():
    """Puts on the CPU what is made within, though there may be a GPU.

    For many small steps with a few numbers: each would cost a GPU as much as a large
    one, and TensorFlow has its kernels for int32 on the CPU alone. XLA, which makes one
    program of it all, is left to itself.

    Returns:
        Context manager.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.control_flow import on_host
        >>> with on_host():
        ...     total = tf.constant(2) + tf.constant(3)
        >>> int(total)
        5
    """
    if in_xla() or not _has_gpu():
        return contextlib.nullcontext()
    return tf.device("/CPU:0")


def _has_gpu():
    return bool(tf.config.get_visible_devices("GPU"))


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


def recomputed_steps(
    function, tensors, *, num_steps, take, add_gradients, dtypes, parallel_steps=1
):
    """Runs a function step after step, each on parts of some tensors.

    TensorFlow's own gradient of a loop keeps what every step made. This one keeps the
    tensors alone: it takes a step's parts again, runs the function on them again, and
    adds the gradients of the parts to sums in float32.

    Args:
        function: takes the number of a step, int32[], and the parts that `take` gave;
            returns a list of float tensors, of the same shapes in every step.
        tensors: list of float tensors. Gradients go to these alone.
        num_steps: int or int32[], at least 1.
        take: takes the number of a step and the tensors; returns a list of parts.
        add_gradients: takes the number of a step, the list of sums (one float32 tensor
            like each of the tensors) and the gradients of the parts; returns the list
            of new sums.
        dtypes: list of the dtypes of the function's results.
        parallel_steps: Python int, steps that may be in flight at a time in a graph.

    Returns:
        List of what the steps returned, stacked: [num_steps, ...].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.control_flow import recomputed_steps
        >>> (squares,) = recomputed_steps(
        ...     lambda step, row: [row * row], [tf.constant([3.0, 5.0])], num_steps=2,
        ...     take=lambda step, rows: [rows[step]], add_gradients=None,
        ...     dtypes=[tf.float32])
        >>> squares.numpy().tolist()
        [9.0, 25.0]
    """
    if tf.executing_eagerly():
        parallel_steps = 1

    # The counter is an int32 of the loop's own: it stays on the host beside a GPU, and
    # where `num_steps` is an int, XLA knows how often the loop runs.
    def loop(body, first_step, values):
        _, *values = tf.while_loop(
            lambda step, *_: step < num_steps,
            lambda step, *values: (step + 1, *body(step, *values)),
            (first_step, *values),
            parallel_iterations=parallel_steps,
        )
        return values

    @tf.custom_gradient
    def run(*tensors):
        def run_step(step, *arrays):
            outputs = function(step, *take(step, *tensors))
            return [a.write(step, x) for a, x in zip(arrays, outputs, strict=True)]

        def gradient(*upstream):
            # All of it waits for `upstream`: the first steps would be run again, and
            # their results held, as soon as the forward pass has made the tensors.
            after = upstream[0]

            def add_step(step, *sums):
                parts = take(step, *tensors)
                with tf.GradientTape() as tape:
                    tape.watch(parts)
                    outputs = function(step, *parts)
                grads = tape.gradient(
                    outputs,
                    parts,
                    output_gradients=[grad[step] for grad in upstream],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                return add_gradients(step, sums, grads)

            shapes = [control_dependency(tf.shape(x), after) for x in tensors]
            sums = [tf.zeros(shape, tf.float32) for shape in shapes]
            sums = loop(add_step, control_dependency(tf.constant(0), after), sums)
            return [tf.cast(s, x.dtype) for s, x in zip(sums, tensors, strict=True)]

        arrays = [tf.TensorArray(dtype, num_steps) for dtype in dtypes]
        arrays = loop(run_step, tf.constant(0), arrays)
        return [array.stack() for array in arrays], gradient

    return run(*tensors)
