"""Gradient accumulation that weighs micro-batches by their labels.

Keras' `gradient_accumulation_steps=K` takes the plain mean of K gradients: a batch of
two labels pulls as hard as one of two hundred. Here the K of them give the gradient of
one large batch.

While micro-batches with n_1, ..., n_k labels have come, Keras' accumulators are kept at
K / (n_1 + ... + n_k) times the gradient of the summed loss: each new one is weighed by
K n_k / (n_1 + ... + n_k), and what is there shrinks to make room. After the last, Keras
divides by K, and the mean over all labels is left.
"""

from typing import NamedTuple

import tensorflow as tf


class Weighing(NamedTuple):
    """How one micro-batch counts: see `weigh`.

    `factor` float32[] for its mean loss, `total` float32[] labels so far, `keep`
    float32[] for what was accumulated before.
    """

    factor: tf.Tensor
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


def weigh(optimizer, weight):
    """Tells how a micro-batch counts among those of its update.

    Args:
        optimizer: Keras optimizer, built by `build_optimizer`.
        weight: float32[], its number of labels.

    Returns:
        `Weighing`, or None where each batch is an update.
    """
    steps = accumulation_steps(optimizer)
    if steps == 1:
        return None
    before = tf.convert_to_tensor(_inner(optimizer).label_total)
    total = before + weight
    factor = steps * tf.math.divide_no_nan(weight, total)
    return Weighing(factor, total, tf.math.divide_no_nan(before, total))


def apply_weighed(optimizer, gradients, variables, weighing):
    """Applies gradients, and accounts for them if they are only accumulated.

    Args:
        optimizer: Keras optimizer, built by `build_optimizer`.
        gradients: list of tensors, of the loss times `weighing.factor`.
        variables: list of keras.Variable.
        weighing: what `weigh` returned.
    """
    if weighing is None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    inner, total, keep = _inner(optimizer), weighing.total, weighing.keep
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
