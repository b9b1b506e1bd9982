"""The loss and its gradient for every weight equal PyTorch's."""

import numpy as np
import pytest

import tf_led
from tests.parity.compare import FORWARD, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    our_gradients,
    torch_gradients,
    with_labels,
)
from tests.parity.oracle import make_theirs
from tests.parity.patterns import make_inputs
from tf_led.testing import fill_spread, tiny_config


@pytest.mark.parametrize(
    ("layout", "pattern", "length"),
    [
        ("one_window", "unequal_globals", 23),
        ("one_window", "plain", 2),
        ("falling_windows", "padded_targets", 31),
        ("wide_heads", "left_padding", 19),
        ("many_heads", "all_global", 13),
        ("many_heads", "scattered_padding", 30),
        ("window_of_all", "minus_one_inside", 41),
        ("window_of_all", "no_globals", 17),
    ],
)
def test_every_weight(get_pair, layout, pattern, length):
    pair = get_pair(layout)
    inputs = with_labels(make_inputs(pattern, length, length), seed=length)
    loss, mine = our_gradients(pair.ours, inputs)
    their_loss, theirs = torch_gradients(pair.theirs, inputs)
    assert relative_error(loss, their_loss) <= FORWARD
    assert_gradients_match(mine, theirs)


def test_attention_probs_change_no_gradient(get_pair):
    """Requesting attention probabilities takes another way through the encoder."""
    pair = get_pair("falling_windows")
    inputs = with_labels(make_inputs("unequal_globals", 3, 21), seed=3)
    _, plain = our_gradients(pair.ours, inputs)
    _, with_probs = our_gradients(pair.ours, inputs, output_attentions=True)
    assert_gradients_match(with_probs, plain)


POSITIONS = "led.encoder.embed_positions.weight"
# The windows do not divide each other, nor the limit: 23 positions, all used.
WINDOWS_APART = {"attention_window": [6, 4], "max_encoder_position_embeddings": 23}


def test_windows_that_do_not_divide():
    model = tf_led.TFLEDForConditionalGeneration(tiny_config(**WINDOWS_APART))
    weights = fill_spread(model, seed=7)
    inputs = with_labels(make_inputs("unequal_globals", 7, 23), seed=7)
    inputs["attention_mask"] = np.ones([3, 23], int)
    loss, mine = our_gradients(model, inputs)

    # PyTorch can do it for a document padded to 24, a multiple of both windows.
    longer = {**WINDOWS_APART, "max_encoder_position_embeddings": 24}
    weights = {**weights, POSITIONS: np.pad(weights[POSITIONS], [(0, 1), (0, 0)])}
    for name in ("input_ids", "attention_mask", "global_attention_mask"):
        inputs[name] = np.pad(inputs[name], [(0, 0), (0, 1)])
    helped = make_theirs(tiny_config(**longer), weights)
    their_loss, theirs = torch_gradients(helped, inputs)
    theirs[POSITIONS] = theirs[POSITIONS][:-1]
    assert relative_error(loss, their_loss) <= FORWARD
    assert_gradients_match(mine, theirs)


def test_padding_embedding_gets_no_gradient_from_look_ups(get_pair):
    """As in PyTorch: its row learns through the logits alone."""
    pair = get_pair("one_window")
    inputs = with_labels(make_inputs("first_global", 5, 21), seed=5)
    inputs["input_ids"][:, 3:7] = 1
    inputs["decoder_input_ids"][:, 2] = 1
    _, mine = our_gradients(pair.ours, inputs)
    _, theirs = torch_gradients(pair.theirs, inputs)
    assert_gradients_match(mine, theirs)


def test_padding_labels_are_ignored(get_pair):
    """Deliberately not PyTorch's, which trains the model to emit padding."""
    pair = get_pair("one_window")
    inputs = with_labels(make_inputs("first_global", 11, 13), seed=11)
    labels = inputs["labels"]
    padded = {**inputs, "labels": np.where(labels == -100, 1, labels)}
    logits = np.asarray(pair.ours(inputs).logits, "float64")
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    picked = [log_probs[i, j, labels[i, j]] for i, j in np.argwhere(labels != -100)]
    for given in (inputs, padded):
        loss = pair.ours(given).loss
        assert loss.shape == ()
        np.testing.assert_allclose(loss, -np.mean(picked), rtol=1e-5)
    their_loss, _ = torch_gradients(pair.theirs, padded)
    assert abs(their_loss + np.mean(picked)) > 0.1


def test_loss_is_zero_where_no_label_counts(get_pair):
    """Deliberately not PyTorch's, whose mean of nothing is NaN."""
    pair = get_pair("one_window")
    inputs = make_inputs("first_global", 13, 13)
    labels = np.full_like(inputs["decoder_input_ids"], -100)
    labels[:, 3:] = 1
    loss, gradients = our_gradients(pair.ours, {**inputs, "labels": labels})
    assert loss == 0.0
    assert all(np.all(gradient == 0) for gradient in gradients.values())
