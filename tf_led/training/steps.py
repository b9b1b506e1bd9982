"""One step of `fit` or `evaluate`, in which every label counts the same.

Keras averages losses over replicas, micro-batches and batches, whatever each of them
holds. Here each label has the same weight, wherever it lies: the numbers of a run do
not depend on how its labels are spread. A loss says how many labels it is the sum over,
and what it is divided by is decided here and in `accumulation.py` alone.
"""

import keras
import tensorflow as tf

from tf_led.ops.losses import mean_loss
from tf_led.training.accumulation import (
    accumulation_scale,
    apply_gradients,
    build_optimizer,
)


def num_replicas():
    """How many replicas share a step; 1 without a strategy.

    Returns:
        Python int.
    """
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(tensor):
    """Sums a tensor over all replicas; each of them gets the sum.

    Args:
        tensor: of any number dtype and shape, the same shape on every replica.

    Returns:
        Tensor like `tensor`; `tensor` itself where there is one replica, or outside of
        a step.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.steps import sum_over_replicas
        >>> int(sum_over_replicas(tf.constant(3)))
        3
    """
    if num_replicas() == 1 or tf.distribute.in_cross_replica_context():
        return tensor
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensor)


def same_on_all(number, strategy):
    """Whether every worker has the same number.

    Args:
        number: int >= 0. All workers must call this at the same time.
        strategy: `tf.distribute.Strategy`.

    Returns:
        bool, the same on all of them.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.steps import same_on_all
        >>> same_on_all(7, tf.distribute.get_strategy())
        True
    """
    values = tf.constant([number, number**2], tf.float64)
    sums = tf.function(lambda: strategy.run(sum_over_replicas, [values]))()
    total, squares = strategy.experimental_local_results(sums)[0].numpy()
    # The mean of squares is the square of the mean where nothing varies.
    return bool(strategy.num_replicas_in_sync * squares == total**2)


def train_on(model, data, sum_loss=None, may_be_unused=()):
    """Learns from one batch.

    Args:
        model: compiled keras.Model.
        data: the batch, as `train_step` gets it.
        sum_loss: callable from the model's outputs to `(loss_sum, label_count)`,
            float32[] or float32[P] each, of this replica's batch: see
            `tf_led.ops.losses`. None for the loss that `compile` was given, of which
            Keras takes the mean over batches and replicas.
        may_be_unused: names of layers that a batch may have no use for; their weights
            then stay as they are, without Keras' warning.

    Returns:
        Dict of metrics.

    Raises:
        ValueError: if no weight of the model trains.
    """
    inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    optimizer, variables = model.optimizer, model.trainable_variables
    if not variables:
        raise ValueError(f"`{model.name}` has no weight that trains: unfreeze some.")
    build_optimizer(optimizer, variables)
    compute = _gradients
    if model.jit_compile and num_replicas() > 1:
        compute = _compiled_gradients
    outputs, sums, gradients, scale = compute(model, data, sum_loss)
    _report(model, data, *sums)
    gradients, variables = _without_unused(gradients, variables, may_be_unused)
    gradients = [_dense(gradient) for gradient in gradients]
    if hasattr(optimizer, "inner_optimizer"):
        gradients = _overflow_together(gradients)
    # Weight decay needs no gradient, and would run as soon as the forward pass has read
    # the weights: on a copy of them all, for the backward pass still holds them.
    with tf.control_dependencies([tf.group(*gradients)]):
        apply_gradients(optimizer, gradients, variables, scale)
    return model.compute_metrics(inputs, y, outputs, sample_weight=sample_weight)


def test_on(model, data, sum_loss=None):
    """Measures one batch.

    Args:
        model: as in `train_on`.
        data: likewise.
        sum_loss: likewise.

    Returns:
        Dict of metrics.
    """
    inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

    def run():
        return _forward(model, data, sum_loss, training=False)

    if model.jit_compile and num_replicas() > 1:
        run = tf.function(run, jit_compile=True, autograph=False)
    outputs, sums = run()
    _report(model, data, *sums)
    return model.compute_metrics(inputs, y, outputs, sample_weight=sample_weight)


def _forward(model, data, sum_loss, training):
    """Outputs, and what the loss is made of: (sum, count), or one that is a mean."""
    inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    outputs = model(inputs, training=training)
    if sum_loss is not None:
        return outputs, sum_loss(outputs)
    loss = model._compute_loss(
        x=inputs,
        y=y,
        y_pred=outputs,
        sample_weight=sample_weight,
        training=training,
    )
    return outputs, (loss,)


def _gradients(model, data, sum_loss):
    """Outputs and sums as `_forward`, gradients of the weights, `AccumulationScale`."""
    optimizer, scale = model.optimizer, None
    with tf.GradientTape() as tape:
        outputs, sums = _forward(model, data, sum_loss, training=True)
        loss = sums[0]
        if sum_loss is not None:
            scale = accumulation_scale(optimizer, sum_over_replicas(sums[1]))
            loss = _mean(model, *sums, scale.divisor)
        scaled = optimizer.scale_loss(loss)
    variables = [variable.value for variable in model.trainable_variables]
    return outputs, sums, tape.gradient(scaled, variables), scale


def _compiled_gradients(model, data, sum_loss):
    """The same, forward and backward compiled with XLA, for each replica by itself.

    What replicas sum up cannot be compiled with it: each has the gradients of the means
    of its own labels, and then gives them the weight that these have among all.
    """
    optimizer, found = model.optimizer, []
    variables = [variable.value for variable in model.trainable_variables]

    def of_mean(number):
        # Not one persistent tape for all: it keeps what every step of a loop made.
        with tf.GradientTape() as tape:
            outputs, sums = _forward(model, data, sum_loss, training=True)
            means = sums if sum_loss is None else _own_means(model, *sums)
            scaled = optimizer.scale_loss(means[number])
        return outputs, sums, len(means), tape.gradient(scaled, variables)

    @tf.function(jit_compile=True, autograph=False)
    def run():
        outputs, sums, count, gradients = of_mean(0)
        by_mean = [gradients] + [of_mean(i)[-1] for i in range(1, count)]
        of_weights = list(zip(*by_mean, strict=True))
        found[:] = [any(g is not None for g in grads) for grads in of_weights]
        of_weights = [
            [tf.zeros(v.shape, v.dtype) if g is None else _dense(g) for g in grads]
            for grads, v, is_found in zip(of_weights, variables, found, strict=True)
            if is_found
        ]
        return outputs, sums, of_weights

    outputs, sums, of_weights = run()
    scale, parts = None, [1.0]
    if sum_loss is not None:
        joint_count = sum_over_replicas(sums[1])
        scale = accumulation_scale(optimizer, joint_count)
        parts = tf.math.divide_no_nan(sums[1], scale.divisor)
        parts = tf.unstack(tf.reshape(parts, [-1]), len(of_weights[0]))
        parts = [part / len(parts) for part in parts]
    weighted = iter(
        tf.add_n([g * tf.cast(p, g.dtype) for g, p in zip(grads, parts, strict=True)])
        for grads in of_weights
    )
    return outputs, sums, [next(weighted) if f else None for f in found], scale


def _own_means(model, loss_sum, label_count):
    """The P means of a replica's own labels, each with what layers add."""
    means = tf.reshape(tf.math.divide_no_nan(loss_sum, label_count), [-1])
    penalty = _penalty(model) if model.losses else 0.0
    return [mean + penalty for mean in tf.unstack(means)]


def _penalty(model):
    return tf.add_n([tf.cast(part, tf.float32) for part in model.losses])


def _mean(model, loss_sum, label_count, divisor):
    """This replica's part of the mean, with what layers add, such as regularisers."""
    loss = mean_loss(loss_sum, divisor)
    if not model.losses:
        return loss
    counts = tf.reduce_mean(label_count), tf.reduce_mean(divisor)
    return loss + _penalty(model) * tf.math.divide_no_nan(*counts)


def _report(model, data, loss, label_count=None):
    """Adds a batch to the mean loss of the epoch.

    Every replica writes down the same: it does not matter whose is read. A mean of
    Keras counts by its number of rows.
    """
    if label_count is None:
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        weight = tf.shape(keras.tree.flatten(inputs)[0])[0]
        loss *= num_replicas()  # by which Keras has divided it already
    else:
        joint_count = sum_over_replicas(label_count)
        loss = sum_over_replicas(_mean(model, loss, label_count, joint_count))
        weight = tf.reduce_mean(joint_count)
    model._loss_tracker.update_state(loss, sample_weight=weight)


def _without_unused(gradients, variables, may_be_unused):
    kept = [
        (gradient, variable)
        for gradient, variable in zip(gradients, variables, strict=True)
        if gradient is not None or variable.path.split("/")[-2] not in may_be_unused
    ]
    return [list(part) for part in zip(*kept, strict=True)]


def _overflow_together(gradients):
    """Has all replicas leave a step out if one of them overflows.

    Keras looks at each replica's own gradients, and replicas that disagree part ways.
    """
    if num_replicas() == 1:
        return gradients
    sums = [tf.reduce_sum(tf.abs(tf.cast(g, tf.float32))) for g in gradients]
    # Infinity minus itself is NaN, any other number 0.
    total = sum_over_replicas(tf.add_n([part - part for part in sums]))
    return [gradient + tf.cast(total, gradient.dtype) for gradient in gradients]


def _dense(gradient):
    """Adds up what an embedding gets for each row.

    A row that was looked up twice comes as two slices, of which Keras' optimizers would
    take the norm and the squares one by one.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(
        gradient.values, gradient.indices, gradient.dense_shape[0]
    )
