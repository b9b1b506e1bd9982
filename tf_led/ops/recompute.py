"""A loop whose gradient keeps nothing: each step is computed again on the way back."""

import tensorflow as tf

from tf_led.ops.control_flow import control_dependency


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
        >>> from tf_led.ops.recompute import recomputed_steps
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
