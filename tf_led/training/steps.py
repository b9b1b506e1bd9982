"""One step of `fit` or `evaluate`, with every label counting the same.

Keras averages losses over replicas, micro-batches and batches, each with one vote. Here
a label has one vote, wherever it lies: the numbers of a run do not depend on how its
labels are spread.
"""

import keras
import tensorflow as tf

from tf_led.training.accumulation import apply_weighed, build_optimizer, weigh


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


def train_on(model, data, weight, may_be_unused=()):
    """Learns from one batch.

    Args:
        model: compiled keras.Model.
        data: the batch, as `train_step` gets it.
        weight: float32[], how many labels this replica's batch has, or None to leave
            the share of each batch to Keras.
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
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss, joint_weight = _loss(model, data, outputs, weight, training=True)
        weighing = None if weight is None else weigh(optimizer, joint_weight)
        scaled = loss if weighing is None else loss * weighing.factor
        scaled = optimizer.scale_loss(scaled)
    gradients = tape.gradient(scaled, [variable.value for variable in variables])
    gradients, variables = _without_unused(gradients, variables, may_be_unused)
    gradients = [_dense(gradient) for gradient in gradients]
    if hasattr(optimizer, "inner_optimizer"):
        gradients = _overflow_together(gradients)
    # Weight decay needs no gradient, and would run as soon as the forward pass has read
    # the weights: on a copy of them all, for the backward pass still holds them.
    with tf.control_dependencies([tf.group(*gradients)]):
        apply_weighed(optimizer, gradients, variables, weighing)
    return model.compute_metrics(inputs, y, outputs, sample_weight=sample_weight)


def test_on(model, data, weight):
    """Measures one batch.

    Args:
        model: as in `train_on`.
        data: see there.
        weight: see there.

    Returns:
        Dict of metrics.
    """
    inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    outputs = model(inputs, training=False)
    _loss(model, data, outputs, weight, training=False)
    return model.compute_metrics(inputs, y, outputs, sample_weight=sample_weight)


def _loss(model, data, outputs, weight, training):
    """This replica's part of the loss, and the labels of all replicas together."""
    inputs, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    loss = model._compute_loss(
        x=inputs,
        y=y,
        y_pred=outputs,
        sample_weight=sample_weight,
        training=training,
    )
    if weight is None:
        # Keras has divided by the number of replicas already.
        rows = tf.shape(keras.tree.flatten(inputs)[0])[0]
        model._loss_tracker.update_state(loss * num_replicas(), sample_weight=rows)
        return loss, None
    joint_weight = sum_over_replicas(weight)
    if num_replicas() > 1:
        loss *= tf.math.divide_no_nan(weight, joint_weight)
    # Every replica writes down the same: it does not matter whose is read.
    model._loss_tracker.update_state(
        sum_over_replicas(loss), sample_weight=joint_weight
    )
    return loss, joint_weight


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
