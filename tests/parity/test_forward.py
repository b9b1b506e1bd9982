"""Logits, every hidden state and every attention map equal PyTorch's."""

import numpy as np
import pytest

from tests.parity.compare import assert_outputs_match
from tests.parity.oracle import run_ours, run_theirs
from tests.parity.patterns import PATTERNS, make_inputs

EVERYTHING = {"output_attentions": True, "output_hidden_states": True}


def check(pair, inputs, **options):
    mine = run_ours(pair, inputs, **EVERYTHING, **options)
    theirs = run_theirs(pair, inputs, **EVERYTHING, **options)
    assert_outputs_match(mine, theirs, inputs)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_output(pair, pattern):
    seed = list(PATTERNS).index(pattern)
    length = np.random.default_rng(seed).integers(5, pair.max_len)
    check(pair, make_inputs(pattern, seed, length))


def test_lengths_from_one_to_the_limit(pair):
    for length in [1, 2, 3, 5, 7, 11, 13, 23, pair.max_len - 1, pair.max_len]:
        check(pair, make_inputs("first_global", length, length, target=5))


def test_targets_from_one_to_the_limit(get_pair):
    pair = get_pair("one_window")
    for target in [1, 2, 31, pair.config.max_decoder_position_embeddings]:
        check(pair, make_inputs("padded_targets", target, 13, target=target))
