"""Question answering equals PyTorch's: outputs, loss, gradients, checkpoints."""

import numpy as np
import pytest
import torch
from transformers import LEDForQuestionAnswering

import tf_led
from tests.parity.compare import FORWARD, assert_outputs_match, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    our_gradients,
    torch_gradients,
)
from tests.parity.oracle import (
    EVERYTHING,
    LAYOUTS,
    Pair,
    make_config,
    run_eagerly,
    run_theirs,
)
from tests.parity.patterns import BATCH, make_inputs
from tf_led.testing import fill_spread

POSITIONS = {"start_positions": [2, 0, 11], "end_positions": [5, 3, 12]}


@pytest.fixture(scope="module")
def get_answering(tmp_path_factory):
    """Makes each layout's two models once: PyTorch opens what ours wrote."""
    pairs = {}

    def get(layout):
        if layout not in pairs:
            directory = tmp_path_factory.mktemp(layout)
            ours = tf_led.TFLEDForQuestionAnswering(make_config(LAYOUTS[layout]))
            weights = fill_spread(ours, seed=len(layout))
            ours.save_pretrained(directory)
            theirs, report = LEDForQuestionAnswering.from_pretrained(
                directory, output_loading_info=True
            )
            assert not any(report.values()), report
            pairs[layout] = Pair(theirs.eval(), ours, weights, None)
        return pairs[layout]

    return get


def make(pattern, seed, length, **positions):
    """A document from which the decoder starts, and where the answers are."""
    inputs = make_inputs(pattern, seed, length)
    del inputs["decoder_input_ids"]
    positions = {**POSITIONS, **positions}
    return inputs | {name: np.array(given) for name, given in positions.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "pattern", "length"),
    [
        ("one_window", "unequal_globals", 23),
        ("many_heads", "first_global", 31),
        ("window_of_all", "plain", 17),
    ],
)
def test_outputs(get_answering, layout, pattern, length):
    pair = get_answering(layout)
    inputs = make(pattern, length, length)
    mine = run_eagerly(pair, inputs, **EVERYTHING)
    theirs = run_theirs(pair, inputs, **EVERYTHING)
    assert list(mine)[:3] == ["loss", "start_logits", "end_logits"]
    assert_outputs_match(mine, theirs, inputs)


def test_decoder_inputs_of_its_own(get_answering):
    pair = get_answering("one_window")
    inputs = make_inputs("padded_targets", 5, 19, target=13)
    mine, theirs = run_eagerly(pair, inputs), run_theirs(pair, inputs)
    assert mine["start_logits"].shape == (BATCH, 13) and "loss" not in mine
    for name in ("start_logits", "end_logits"):
        rows = inputs["decoder_attention_mask"] > 0
        assert relative_error(mine[name][rows], theirs[name][rows]) <= FORWARD


@pytest.mark.parametrize(
    "positions",
    [
        {},
        {"start_positions": [[7], [1], [0]], "end_positions": [[7], [2], [4]]},
        # Beyond the document: no part of the loss. Below 0: the first token.
        {"start_positions": [13, 5, 400], "end_positions": [12, -3, 13]},
    ],
)
def test_loss_and_every_gradient(get_answering, positions):
    pair = get_answering("one_window")
    inputs = make("left_padding", 7, 13, **positions)
    loss, mine = our_gradients(pair.ours, inputs)
    their_loss, theirs = torch_gradients(pair.theirs, inputs)
    assert relative_error(loss, their_loss) <= FORWARD
    assert_gradients_match(mine, theirs)


def test_loss_is_zero_where_no_answer_counts(get_answering):
    """Deliberately not PyTorch's, whose mean of nothing is NaN."""
    pair = get_answering("one_window")
    beyond = {name: [13, 17, 19] for name in POSITIONS}
    inputs = make("plain", 11, 13, **beyond)
    loss, gradients = our_gradients(pair.ours, inputs)
    assert loss == 0.0
    assert all(np.all(gradient == 0) for gradient in gradients.values())
    their_loss, _ = torch_gradients(pair.theirs, inputs)
    assert np.isnan(their_loss)


def test_round_trip_is_bit_equal(get_answering, tmp_path):
    pair = get_answering("one_window")
    pair.theirs.save_pretrained(tmp_path / "theirs")
    ours = tf_led.TFLEDForQuestionAnswering.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    again = LEDForQuestionAnswering.from_pretrained(tmp_path / "ours").state_dict()
    state = pair.theirs.state_dict()
    assert state.keys() == again.keys() and "qa_outputs.weight" in state
    for name, tensor in state.items():
        assert torch.equal(tensor, again[name]), name
