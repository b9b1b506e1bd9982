"""`generate` gives PyTorch's token ids."""

import numpy as np
import pytest
import torch

from tests.parity.oracle import make_pair
from tests.parity.patterns import make_inputs

OPTIONS = {
    "greedy": {
        "num_beams": 1,
        "max_length": 14,
        "no_repeat_ngram_size": 2,
        "min_length": 6,
        "forced_eos_token_id": 2,
    },
    "beams": {"num_beams": 3, "max_new_tokens": 12},
    "long_beams": {
        "num_beams": 4,
        "max_length": 16,
        "min_length": 9,
        "length_penalty": 2.0,
        "no_repeat_ngram_size": 3,
        "early_stopping": True,
        "forced_bos_token_id": 0,
    },
    "patient_beams": {
        "num_beams": 2,
        "max_length": 11,
        "length_penalty": 0.0,
        "early_stopping": "never",
    },
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Models that like to end, or `length_penalty` and `early_stopping` do nothing."""
    layout = {"encoder_layers": 1, "decoder_layers": 2, "attention_window": 6}
    pair = make_pair(layout, tmp_path_factory.mktemp("pair"), seed=3)
    bias = pair.weights["final_logits_bias"].copy()
    bias[0, 2] += 8
    pair.theirs.final_logits_bias.copy_(torch.tensor(bias))
    pair.ours.set_bias({"final_logits_bias": bias})
    return pair


@pytest.mark.parametrize("name", OPTIONS)
def test_same_ids(pair, name):
    ends = []
    for pattern in ("left_padding", "unequal_globals", "tokenizer_padding"):
        inputs = make_inputs(pattern, 3, 31)
        del inputs["decoder_input_ids"]
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        tensors = {key: torch.tensor(array) for key, array in inputs.items()}
        theirs = pair.theirs.generate(**tensors, **OPTIONS[name]).numpy()
        mine = pair.ours.generate(**inputs, **OPTIONS[name])
        np.testing.assert_array_equal(mine, theirs)
        ends.extend((theirs == 1).sum(axis=1))
    assert min(ends) == 0 and max(ends) > 0  # some sequences end early, some do not
