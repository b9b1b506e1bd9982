"""Which loss a classifier's labels ask for, and whether they fit it."""

import tensorflow as tf

from tf_led.models.checks import IGNORED_LABEL
from tf_led.models.refuse import input_error, refuse_where
from tf_led.ops.losses import binary_cross_entropy, class_cross_entropy, squared_error

REGRESSION = "regression"
SINGLE_LABEL = "single_label_classification"
MULTI_LABEL = "multi_label_classification"


def choose_problem_type(problem_type, labels, num_labels):
    """Takes the config's problem type, or the one that the labels suggest.

    Args:
        problem_type: str or None.
        labels: tensor.
        num_labels: int, E.

    Returns:
        "regression" for one label; else "single_label_classification" for integers and
        "multi_label_classification" for floats or bools.

    Raises:
        ValueError: if `problem_type` is none of these.

    Source: transformers 4.57, `LEDForSequenceClassification`.
    """
    known = (REGRESSION, SINGLE_LABEL, MULTI_LABEL)
    if problem_type is None:
        if num_labels == 1:
            return REGRESSION
        return SINGLE_LABEL if labels.dtype.is_integer else MULTI_LABEL
    if problem_type not in known:
        raise input_error(
            f"The config's `problem_type` is {problem_type!r}; allowed are "
            f"{', '.join(map(repr, known))} and None."
        )
    return problem_type


def classification_loss(labels, logits, problem_type, weights=None):
    """The loss of a batch of documents.

    Args:
        labels: int[B] for one class of E; float, int or bool[B, E] for any of E, or for
            E numbers ([B] for one).
        logits: float[B, E].
        problem_type: str, or None to go by the labels.
        weights: float[B], or None.

    Returns:
        float32[].

    Raises:
        ValueError: on labels of another dtype, shape or range.
    """
    labels = tf.convert_to_tensor(labels)
    num_labels = logits.shape[1]
    problem_type = choose_problem_type(problem_type, labels, num_labels)
    if problem_type == SINGLE_LABEL:
        labels = _as_classes(labels, num_labels, logits.shape[0])
        return class_cross_entropy(labels, logits, weights=weights)
    targets = _as_targets(labels, problem_type, logits.shape)
    if problem_type == REGRESSION:
        return squared_error(targets, logits, weights=weights)
    targets = refuse_where(
        (targets < 0) | (targets > 1),
        targets,
        "`labels` holds",
        f"; {MULTI_LABEL} takes from 0 to 1 for each class.",
    )
    return binary_cross_entropy(targets, logits, weights=weights)


def _as_classes(labels, num_labels, batch):
    if not labels.dtype.is_integer:
        raise input_error(
            f"`labels` holds {labels.dtype.name}, but {SINGLE_LABEL} takes the number "
            "of one class for each document: give integers."
        )
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.shape.is_compatible_with([batch]):
        raise input_error(
            f"`labels` has shape {labels.shape.as_list()}, but {SINGLE_LABEL} takes "
            f"one class for each document, [{batch}]. For several of {num_labels} "
            f"classes give floats, or set the config's `problem_type` to {MULTI_LABEL}."
        )
    labels = tf.cast(labels, tf.int64)
    return refuse_where(
        (labels != IGNORED_LABEL) & ((labels < 0) | (labels >= num_labels)),
        labels,
        "`labels` holds",
        f"; allowed are the classes 0 to {num_labels - 1} (`num_labels` {num_labels}), "
        f"and {IGNORED_LABEL} for what does not count.",
    )


def _as_targets(labels, problem_type, shape):
    """Takes labels as float32[B, E]."""
    if shape[1] == 1 and labels.shape.rank == 1:
        labels = labels[:, None]
    if not labels.shape.is_compatible_with(shape):
        raise input_error(
            f"`labels` has shape {labels.shape.as_list()}, but {problem_type} takes "
            f"one value for each of {shape[1]} labels (`num_labels`): "
            f"{shape.as_list()}."
        )
    return tf.cast(labels, tf.float32)
