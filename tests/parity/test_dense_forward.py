"""What PyTorch of today cannot run, against the dense NumPy reference."""

import numpy as np
import pytest
import torch

import tf_led
from tests.parity.compare import assert_outputs_match
from tests.parity.oracle import Pair, make_theirs, run_ours
from tests.parity.patterns import make_inputs
from tf_led.testing import dense_led_forward, fill_spread, tiny_config

EVERYTHING = {"output_attentions": True, "output_hidden_states": True}
CONFIGS = {
    "windows_apart": {
        "attention_window": [6, 10],
        "max_encoder_position_embeddings": 47,
    },
    "window_of_two": {"attention_window": [2, 14]},
    "window_beyond_the_limit": {
        "attention_window": 62,
        "max_encoder_position_embeddings": 37,
    },
    "three_windows": {
        "d_model": 21,
        "encoder_layers": 3,
        "encoder_attention_heads": 7,
        "attention_window": [10, 4, 6],
        "max_encoder_position_embeddings": 31,
    },
}


@pytest.fixture(scope="module")
def get_models():
    """Makes each config's model and weights once."""
    made = {}

    def get(name):
        if name not in made:
            model = tf_led.TFLEDForConditionalGeneration(tiny_config(**CONFIGS[name]))
            made[name] = Pair(None, model, fill_spread(model, seed=len(name)))
        return made[name]

    return get


def check(pair, inputs, head_masks=()):
    head_masks = dict(head_masks)
    mine = run_ours(pair, {**inputs, **head_masks}, **EVERYTHING)
    dense = dense_led_forward(pair.weights, pair.config, **inputs, **head_masks)
    assert_outputs_match(mine, dense, inputs)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    "pattern", ["unequal_globals", "left_padding", "global_padding", "minus_one_inside"]
)
def test_windows_of_any_size(get_models, config, pattern):
    pair = get_models(config)
    for length in [3, 17, pair.max_len - 1, pair.max_len]:
        check(pair, make_inputs(pattern, length, length))


@pytest.mark.parametrize("name", ["head_mask", "decoder_head_mask"])
def test_head_masks(get_models, name):
    pair = get_models("windows_apart")
    mask = np.array([[0.0, 1.0, 0.5], [1.5, 0.0, 0.25]], "float32")
    for pattern in ("unequal_globals", "padded_targets"):
        check(pair, make_inputs(pattern, 5, 19), {name: mask})


def test_cross_attention_head_mask(get_models):
    """A name of its own; the encoder's head mask does not reach the cross-attention."""
    pair = get_models("windows_apart")
    mask = np.array([[0.0, 1.0, 0.5], [1.5, 0.0, 0.25]], "float32")
    inputs = make_inputs("padded_targets", 7, 19)
    mine = run_ours(pair, inputs, cross_attn_head_mask=mask, **EVERYTHING)
    dense = dense_led_forward(
        pair.weights, pair.config, **inputs, cross_attn_head_mask=mask
    )
    assert_outputs_match(mine, dense, inputs)


def test_pytorch_still_fails_here():
    """When it no longer does, it should be the oracle of this file."""
    tokens = torch.full([1, 12], 3)
    for config in ("windows_apart", "window_of_two", "window_beyond_the_limit"):
        theirs = make_theirs(tiny_config(**CONFIGS[config]), {})
        with pytest.raises((AssertionError, IndexError, RuntimeError)):
            theirs(tokens)
