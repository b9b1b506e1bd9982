import numpy as np
import pytest
import tensorflow as tf
import torch

from tf_led.models.classification_loss import (
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    choose_problem_type,
    classification_loss,
)

LOGITS = np.random.default_rng(0).standard_normal([5, 3]).astype("float32")
CLASSES = np.array([2, 0, 1, 1, 0])
TARGETS = np.random.default_rng(1).random([5, 3]).astype("float32")


@pytest.mark.parametrize(
    ("labels", "num_labels", "problem_type"),
    [
        ([0.5, 2.0], 1, REGRESSION),
        ([0, 1], 1, REGRESSION),
        ([0, 1], 3, SINGLE_LABEL),
        ([[0.0, 1.0]], 2, MULTI_LABEL),
        ([[False, True]], 2, MULTI_LABEL),
    ],
)
def test_the_labels_suggest_a_problem(labels, num_labels, problem_type):
    labels = tf.constant(labels)
    assert choose_problem_type(None, labels, num_labels) == problem_type
    for named in (REGRESSION, SINGLE_LABEL, MULTI_LABEL):
        assert choose_problem_type(named, labels, num_labels) == named


def test_an_unknown_problem_is_refused():
    with pytest.raises(ValueError, match="`problem_type` is 'ranking'; allowed"):
        choose_problem_type("ranking", tf.constant([1]), 3)


@pytest.mark.parametrize(
    ("problem_type", "labels", "criterion"),
    [
        (SINGLE_LABEL, CLASSES, torch.nn.CrossEntropyLoss()),
        (SINGLE_LABEL, CLASSES[:, None].astype("int32"), torch.nn.CrossEntropyLoss()),
        (MULTI_LABEL, TARGETS, torch.nn.BCEWithLogitsLoss()),
        (MULTI_LABEL, (TARGETS > 0.5).astype(int), torch.nn.BCEWithLogitsLoss()),
        (REGRESSION, TARGETS, torch.nn.MSELoss()),
    ],
)
def test_losses_are_pytorchs(problem_type, labels, criterion):
    theirs = torch.tensor(labels)
    theirs = theirs.view(-1).long() if problem_type == SINGLE_LABEL else theirs.float()
    expected = criterion(torch.tensor(LOGITS), theirs)
    loss = classification_loss(labels, tf.constant(LOGITS), problem_type)
    assert loss.dtype == tf.float32 and loss.shape == ()
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize("labels", [TARGETS[:, 0], TARGETS[:, :1]])
def test_one_number_for_each_document(labels):
    loss = classification_loss(labels, tf.constant(LOGITS[:, :1]), None)
    expected = np.mean((LOGITS[:, 0] - TARGETS[:, 0]) ** 2)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("problem_type", "labels", "message"),
    [
        (SINGLE_LABEL, [0, 1, 3, 0, 1], "holds 3; allowed are the classes 0 to 2"),
        (SINGLE_LABEL, [0, 1, -1, 0, 1], "holds -1; allowed are the classes 0 to 2"),
        (SINGLE_LABEL, [0.0] * 5, "holds float32, but single_label"),
        (SINGLE_LABEL, [0, 1, 2], r"has shape \[3\], but single.* document, \[5\]"),
        (None, TARGETS.astype(int), r"\[5, 3\], but single.* `problem_type` to multi"),
        (MULTI_LABEL, TARGETS[:, :2], r"has shape \[5, 2\], but multi.*: \[5, 3\]"),
        (MULTI_LABEL, TARGETS + 0.5, "holds 1[.].*; multi.* takes from 0 to 1"),
        (MULTI_LABEL, TARGETS - 1, "holds -0[.].*; multi.* takes from 0 to 1"),
        (REGRESSION, TARGETS[:, 0], r"has shape \[5\], but regression .*: \[5, 3\]"),
    ],
)
def test_labels_that_do_not_fit_are_refused(problem_type, labels, message):
    with pytest.raises(ValueError, match=message):
        classification_loss(labels, tf.constant(LOGITS), problem_type)
