import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.models.led.modeling_led import shift_tokens_right as theirs

from tf_led.ops import losses
from tf_led.ops.losses import (
    IGNORED_LABEL,
    counted_labels,
    label_weights,
    mean_loss,
    shift_tokens_right,
    token_cross_entropy,
)
from tf_led.ops.masks import mask_value

LABELS = np.array([[5, 7, -100, 2], [3, -100, -100, -100]])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_shifting_is_pytorchs(dtype):
    mine = shift_tokens_right(LABELS.astype(dtype), 1, 2)
    np.testing.assert_array_equal(mine, theirs(torch.tensor(LABELS), 1, 2))
    assert mine.dtype == dtype


def test_one_token_gives_the_start():
    assert shift_tokens_right([[7], [9]], 1, 2).numpy().tolist() == [[2], [2]]


def test_keeps_what_is_static():
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.int32)])
    def shift(labels):
        shifted = shift_tokens_right(labels, 1, 2)
        assert shifted.shape.as_list() == [None, 4]
        return shifted

    assert shift(LABELS.astype("int32")).shape == [2, 4]


@pytest.mark.parametrize(
    ("ids", "name"),
    [((None, 2), "pad_token_id"), ((1, None), "decoder_start_token_id")],
)
def test_a_missing_id_is_named(ids, name):
    with pytest.raises(ValueError, match=f"`{name}` is None"):
        shift_tokens_right(LABELS, *ids)


B, T, V, PAD = 2, 5, 7, 1


def mean(loss, *args, **options):
    """What a loss comes to, once its sum is divided by its count."""
    return mean_loss(*loss(*args, **options))


def masked_cross_entropy(labels, logits, **options):
    loss = losses.masked_cross_entropy
    return mean(loss, labels, logits, pad_token_id=PAD, **options)


TARGETS = np.array([[3, 5, 2, PAD, PAD], [6, -100, 0, 4, -100]])
COUNTED = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 0]], bool)


def make_logits():
    return np.random.default_rng(0).standard_normal([B, T, V]).astype("float32") * 3


def by_hand(logits):
    """Minus the log-probability of each label, 0 where it does not count."""
    logits = logits.astype("float64")
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    picked = np.take_along_axis(log_probs, np.maximum(TARGETS, 0)[..., None], -1)
    return np.where(COUNTED, -picked[..., 0], 0)


def test_which_labels_count():
    np.testing.assert_array_equal(counted_labels(TARGETS, PAD), COUNTED)
    with_padding = COUNTED | (TARGETS == PAD)
    np.testing.assert_array_equal(counted_labels(TARGETS, None), with_padding)


def test_each_label():
    logits = make_logits()
    loss = token_cross_entropy(TARGETS, logits, COUNTED)
    np.testing.assert_allclose(loss, by_hand(logits), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_mean_is_over_what_counts(dtype):
    logits = make_logits()
    loss = masked_cross_entropy(TARGETS.astype(dtype), logits)
    np.testing.assert_allclose(loss, by_hand(logits).sum() / COUNTED.sum(), rtol=1e-5)
    assert loss.shape == () and loss.dtype == tf.float32


@pytest.mark.parametrize("shape", [[B], [B, 1], [B, T]])
def test_weights_scale_loss_and_count(shape):
    logits = make_logits()
    weights = np.random.default_rng(3).uniform(0.1, 2, shape).astype("float32")
    loss = masked_cross_entropy(TARGETS, logits, weights=weights)
    full = np.broadcast_to(weights.reshape(B, -1), [B, T])
    expected = (full * by_hand(logits)).sum() / (full * COUNTED).sum()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("ignored", [IGNORED_LABEL, PAD])
def test_nothing_to_learn_is_no_loss_and_no_gradient(ignored):
    logits = tf.constant(make_logits())
    with tf.GradientTape() as tape:
        tape.watch(logits)
        labels = tf.fill([B, T], ignored)
        loss = masked_cross_entropy(labels, logits)
    assert float(loss) == 0.0
    assert not np.any(tape.gradient(loss, logits))


def test_labels_that_do_not_count_have_no_gradient():
    logits = tf.constant(make_logits())
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = masked_cross_entropy(TARGETS, logits)
    moved = np.any(tape.gradient(loss, logits) != 0, axis=-1)
    np.testing.assert_array_equal(moved, COUNTED)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_lose_no_more_than_themselves(dtype):
    logits = tf.cast(make_logits(), dtype)
    loss = masked_cross_entropy(TARGETS, logits)
    expected = by_hand(tf.cast(logits, tf.float32).numpy()).sum() / COUNTED.sum()
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_label_smoothing_is_pytorchs(smoothing):
    logits = make_logits()
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits).flatten(0, 1),
        torch.tensor(np.where(COUNTED, TARGETS, -100)).flatten(),
        label_smoothing=smoothing,
    )
    loss = masked_cross_entropy(TARGETS, logits, label_smoothing=smoothing)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_how_much_each_label_counts():
    weights = np.array([2.0, 0.5])
    np.testing.assert_array_equal(
        label_weights(COUNTED, weights), COUNTED * weights[:, None]
    )
    np.testing.assert_array_equal(label_weights(COUNTED), COUNTED)


def test_several_means_have_equal_parts_and_none_without_labels():
    assert float(mean_loss([3.0, 10.0, 0.0], [2.0, 4.0, 0.0])) == pytest.approx(4 / 3)


E = 3
SCORES = np.random.default_rng(5).standard_normal([7, E]).astype("float32") * 3
WEIGHTS = np.random.default_rng(7).uniform(0.1, 2, [7]).astype("float32")


@pytest.mark.parametrize("weights", [None, WEIGHTS, WEIGHTS[:, None]])
def test_one_class_of_each_document(weights):
    classes = np.array([0, 2, -100, 1, 1, -100, 2])
    counted = classes >= 0
    log_probs = SCORES - np.log(np.exp(SCORES).sum(-1, keepdims=True))
    rows = np.arange(7)[counted]
    loss = mean(losses.class_cross_entropy, classes, SCORES, weights=weights)
    given = np.ones(7) if weights is None else WEIGHTS
    expected = np.average(-log_probs[rows, classes[counted]], weights=given[counted])
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert mean(losses.class_cross_entropy, [-100] * 7, SCORES, weights=weights) == 0.0


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_a_position_beyond_the_tokens_does_not_count(dtype):
    positions = np.array([0, 2, E, -11, 1, 2**31 - 1, 2], dtype)
    clamped = np.array([0, 2, -100, 0, 1, -100, 2])
    for weights in (None, WEIGHTS):
        loss = mean(losses.span_cross_entropy, positions, SCORES, weights=weights)
        expected = mean(losses.class_cross_entropy, clamped, SCORES, weights=weights)
        np.testing.assert_array_equal(loss, expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_position_that_is_hidden_does_not_count(dtype):
    lowest = tf.cast(mask_value(dtype), dtype)
    scores = tf.concat([tf.cast(SCORES, dtype), tf.fill([7, 2], lowest)], axis=1)
    positions = np.array([0, 2, 3, 1, 1, 4, 2])
    loss = mean(losses.span_cross_entropy, positions, scores)
    seen = np.where(positions < E, positions, -100)
    expected = mean(losses.class_cross_entropy, seen, tf.cast(SCORES, dtype))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize("weights", [None, WEIGHTS, WEIGHTS[:, None]])
def test_targets_for_every_class(weights):
    targets = np.random.default_rng(11).random([7, E]).astype("float32")
    probs = 1 / (1 + np.exp(-SCORES))
    binary = -(targets * np.log(probs) + (1 - targets) * np.log(1 - probs))
    given = np.ones(7) if weights is None else WEIGHTS
    for loss, each in (
        (losses.binary_cross_entropy, binary),
        (losses.squared_error, (SCORES - targets) ** 2),
    ):
        expected = np.average(each.mean(axis=1), weights=given)
        mine = mean(loss, targets, SCORES, weights=weights)
        assert mine.dtype == tf.float32
        np.testing.assert_allclose(mine, expected, rtol=1e-5)
