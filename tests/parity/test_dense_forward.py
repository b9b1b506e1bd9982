"""What PyTorch of today cannot run, against the dense NumPy reference."""

import numpy as np
import pytest
import torch

import tf_led
from tests.parity.compare import FORWARD, assert_outputs_match, relative_error
from tests.parity.oracle import Pair, compile_run, make_theirs, run_eagerly, run_ours
from tests.parity.patterns import make_inputs
from tf_led.testing import dense_led_forward, fill_spread, tiny_config

HEAD_MASKS = ("head_mask", "decoder_head_mask", "cross_attn_head_mask")
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

    def get(name, head_masks=()):
        if (name, head_masks) not in made:
            model = tf_led.TFLEDForConditionalGeneration(tiny_config(**CONFIGS[name]))
            weights = fill_spread(model, seed=len(name))
            run = compile_run(model, head_masks)
            made[name, head_masks] = Pair(None, model, weights, run)
        return made[name, head_masks]

    return get


def check(pair, inputs, head_masks=None):
    inputs_and_masks = {**inputs, **(head_masks or {})}
    mine = run_ours(pair, inputs_and_masks)
    dense = dense_led_forward(pair.weights, pair.config, **inputs_and_masks)
    assert_outputs_match(mine, dense, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    "pattern", ["unequal_globals", "left_padding", "global_padding", "minus_one_inside"]
)
def test_windows_of_any_size(get_models, config, pattern):
    pair = get_models(config)
    for length in [3, 17, pair.max_len - 1, pair.max_len]:
        check(pair, make_inputs(pattern, length, length))


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAD_MASKS)
def test_head_masks(get_models, name):
    """Each reaches its own attention: the encoder's does not reach the cross one."""
    pair = get_models("windows_apart", HEAD_MASKS)
    masks = {other: np.ones([2, 3]) for other in HEAD_MASKS}
    masks[name] = np.array([[0.0, 1.0, 0.5], [1.5, 0.0, 0.25]])
    for pattern in ("unequal_globals", "padded_targets"):
        check(pair, make_inputs(pattern, 5, 19), masks)


@pytest.mark.parametrize("name", HEAD_MASKS)
def test_head_masks_in_a_plain_call(get_models, name):
    """Without probabilities the encoder takes another way; one row serves all."""
    pair = get_models("windows_apart", HEAD_MASKS)
    mask = np.array([0.0, 1.0, 0.5], "float32")
    inputs = make_inputs("unequal_globals", 7, 13)
    mine = run_eagerly(pair, inputs, **{name: mask})
    both = {name: np.stack([mask, mask])}
    dense = dense_led_forward(pair.weights, pair.config, **inputs, **both)
    assert relative_error(mine["logits"], dense["logits"]) <= FORWARD


def test_pytorch_still_fails_here():
    """When it no longer does, it should be the oracle of this file."""
    tokens = torch.full([1, 12], 3)
    for config in ("windows_apart", "window_of_two", "window_beyond_the_limit"):
        theirs = make_theirs(tiny_config(**CONFIGS[config]), {})
        with pytest.raises((AssertionError, IndexError, RuntimeError)):
            theirs(tokens)
