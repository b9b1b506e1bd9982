"""Windows wider than a block of queries, and more global tokens than a chunk holds."""

import pytest

from tests.parity.compare import FORWARD, assert_outputs_match, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    our_gradients,
    torch_gradients,
    with_labels,
)
from tests.parity.oracle import EVERYTHING, make_pair, run_eagerly, run_theirs
from tests.parity.patterns import make_inputs

LAYOUT = {"attention_window": [300, 150], "max_encoder_position_embeddings": 900}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_pair(LAYOUT, tmp_path_factory.mktemp("long"))


@pytest.mark.parametrize("length", [129, 511, 900])
def test_every_output(pair, length):
    inputs = make_inputs("unequal_globals", 3, length)
    mine = run_eagerly(pair, inputs, **EVERYTHING)
    theirs = run_theirs(pair, inputs, **EVERYTHING)
    assert_outputs_match(mine, theirs, inputs)


@pytest.mark.parametrize("pattern", ["first_global", "left_padding", "all_global"])
def test_outputs_without_attention_probs(pair, pattern):
    inputs = make_inputs(pattern, 5, 701)
    mine, theirs = run_eagerly(pair, inputs), run_theirs(pair, inputs)
    assert_outputs_match(mine, theirs, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["unequal_globals", "left_padding"])
def test_gradients(pair, pattern):
    inputs = with_labels(make_inputs(pattern, 7, 601), seed=7)
    loss, mine = our_gradients(pair.ours, inputs)
    their_loss, theirs = torch_gradients(pair.theirs, inputs)
    assert relative_error(loss, their_loss) <= FORWARD
    assert_gradients_match(mine, theirs)
