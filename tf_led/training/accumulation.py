"""Gradient accumulation in which every label counts the same.

Keras' `gradient_accumulation_steps=K` takes the plain mean of K gradients: a batch of
two labels pulls as hard as one of two hundred. Here the K of them give the gradient of
one large batch.

While micro-batches with n_1, ..., n_k labels have come, Keras' accumulators are kept at
K / (n_1 + ... + n_k) times the gradient of the summed loss: the sum of each new one is
divided by (n_1 + ... + n_k) / K, and what is there shrinks in proportion. After the
last, Keras divides by K, and the mean over all labels is left.
"""

from typing import NamedTuple

import tensorflow as tf


class AccumulationScale(NamedTuple):
    """How one micro-batch counts among those of its update: see `accumulation_scale`.

    `divisor` float32[] or float32[P] of its summed loss, `total` float32[] labels so
    far, `keep` float32[] for what was accumulated before.
    """

    divisor: tf.Tensor
    total: tf.Tensor
    keep: tf.Tensor


def accumulation_steps(optimizer):
    """How many batches make one update.

    Args:
        optimizer: Keras optimizer, perhaps inside a `LossScaleOptimizer`.

    Returns:
        Python int >= 1.
    """
    return _inner(optimizer).gradient_accumulation_steps or 1


def build_optimizer(optimizer, variables):
    """Builds an optimizer with what accumulation needs; a built one stays as it is.

    Args:
        optimizer: Keras optimizer. Whoever restores its state calls this first.
        variables: list of keras.Variable, all that train.
    """
    if not optimizer.built:
        optimizer.build(variables)
        optimizer.built = True
    inner = _inner(optimizer)
    if accumulation_steps(optimizer) > 1 and not hasattr(inner, "label_total"):
        # Among the optimizer's variables, so that it is saved with the accumulators.
        inner.label_total = inner.add_variable(
            shape=(), dtype="float32", name="label_total"
        )


def accumulation_scale(optimizer, label_count):
    """Tells how a micro-batch counts among those of its update.

    Args:
        optimizer: Keras optimizer, built by `build_optimizer`.
        label_count: float32[] or float32[P], what its loss returned. The P means of a
            loss share one accumulator: they get the weight of their mean count, which
            is exact where a micro-batch has the same count for each.

    Returns:
        `AccumulationScale`; where each batch is an update its `divisor` is
        `label_count`, and `total` and `keep` are None.
    """
    steps = accumulation_steps(optimizer)
    if steps == 1:
        return AccumulationScale(label_count, None, None)
    before = tf.convert_to_tensor(_inner(optimizer).label_total)
    labels = tf.reduce_mean(label_count)
    total = before + labels
    divisor = tf.math.divide_no_nan(label_count, labels) * total / steps
    return AccumulationScale(divisor, total, tf.math.divide_no_nan(before, total))


def apply_gradients(optimizer, gradients, variables, scale):
    """Applies gradients, and keeps the count of labels if they are only accumulated.

    Args:
        optimizer: Keras optimizer, built by `build_optimizer`.
        gradients: list of tensors, of the summed loss over `scale.divisor`.
        variables: list of keras.Variable.
        scale: `AccumulationScale`, or None to have Keras average the batches.
    """
    if scale is None or scale.total is None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    inner, total, keep = _inner(optimizer), scale.total, scale.keep
    if inner is not optimizer:
        # A step that overflows is left out: it must leave no trace here either.
        finite = optimizer.check_finite(gradients)
        keep = tf.where(finite, keep, 1.0)
        total = tf.where(finite, total, tf.convert_to_tensor(inner.label_total))
    for accumulator in inner._accumulated_gradients:
        accumulator.assign(accumulator * tf.cast(keep, accumulator.dtype))
    before = tf.identity(inner.iterations)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    is_update = inner.iterations > before
    inner.label_total.assign(tf.where(is_update, 0.0, total))


def _inner(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)
