"""The whole dense forward against PyTorch, which needs help with some windows."""

import numpy as np
import pytest
import torch
from transformers import LEDForConditionalGeneration

from tf_led.testing import dense_led_forward, spread_weights, tiny_config

LAYOUTS = {
    "gelu": {"attention_window": 4, "d_model": 15, "encoder_attention_heads": 5},
    "relu": {"attention_window": [8, 4], "decoder_layers": 3},
    # PyTorch pads to the largest window, not to one that all divide: 24 tokens suit it.
    "gelu_new": {"attention_window": [4, 6], "d_model": 14, "decoder_ffn_dim": 23},
    "silu": {"attention_window": [12, 8, 4], "encoder_layers": 3},
    "tanh": {"attention_window": 24, "encoder_layers": 1, "decoder_layers": 1},
}


def config_of(name):
    layout = dict(LAYOUTS[name])
    heads = 7 if layout.get("d_model") == 14 else 3
    layout.setdefault("encoder_attention_heads", heads)
    layout.setdefault("decoder_attention_heads", heads)
    return tiny_config(activation_function=name, **layout)


def make_inputs(rng, length=24, target=7):
    ids = rng.integers(3, 29, [3, length])
    attention_mask = np.ones_like(ids)
    attention_mask[1, -4:] = 0
    attention_mask[2, :3] = 0
    global_attention_mask = np.zeros_like(ids)
    global_attention_mask[0, [0, 7]] = 1
    global_attention_mask[1, [5, -1]] = 1  # the second one on padding
    global_attention_mask[2, -2:] = -1
    decoder_attention_mask = np.ones([3, target], int)
    decoder_attention_mask[1, 5:] = 0
    return {
        "input_ids": ids,
        "attention_mask": attention_mask,
        "global_attention_mask": global_attention_mask,
        "decoder_input_ids": rng.integers(3, 29, [3, target]),
        "decoder_attention_mask": decoder_attention_mask,
    }


def run_torch(config, weights, inputs):
    model = LEDForConditionalGeneration(config).eval()
    model.load_state_dict(
        {n: torch.tensor(a) for n, a in weights.items()}, strict=False
    )
    model.tie_weights()
    with torch.no_grad():
        return model(
            **{name: torch.tensor(array) for name, array in inputs.items()},
            output_attentions=True,
            output_hidden_states=True,
        )


@pytest.mark.parametrize("activation", LAYOUTS)
def test_equals_pytorch(activation):
    config = config_of(activation)
    weights = spread_weights(config, seed=5)
    inputs = make_inputs(np.random.default_rng(7))
    ours = dense_led_forward(weights, config, **inputs)
    theirs = run_torch(config_of(activation), weights, inputs)
    used = np.arange(2) < np.array([2, 1, 0])[:, None]  # global tokens of each row
    for name, values in ours.items():
        if name == "encoder_global_attentions":
            probs = theirs[name]
            theirs[name] = [np.where(used[:, None, None], m, 0) for m in probs]
        if isinstance(values, np.ndarray):
            values, theirs[name] = [values], [theirs[name]]
        for mine, torchs in zip(values, theirs[name], strict=True):
            np.testing.assert_allclose(mine, torchs, atol=1e-4, err_msg=name)


def test_defaults_are_pytorchs():
    config = tiny_config()
    weights = spread_weights(config)
    ids = np.random.default_rng(3).integers(3, 29, [2, 11])
    ours = dense_led_forward(weights, config, ids)
    theirs = run_torch(config, weights, {"input_ids": ids})
    np.testing.assert_allclose(ours["logits"], theirs.logits, atol=1e-4)
    assert ours["encoder_global_attentions"][0].shape == (2, 3, 11, 0)


def test_more_padding_changes_nothing():
    config = tiny_config(attention_window=[6, 10], max_encoder_position_embeddings=37)
    weights = spread_weights(config)
    inputs = make_inputs(np.random.default_rng(11), length=31)
    longer = dict(inputs)
    for name in ("input_ids", "attention_mask", "global_attention_mask"):
        longer[name] = np.pad(inputs[name], [(0, 0), (0, 6)])
    np.testing.assert_allclose(
        dense_led_forward(weights, config, **longer)["logits"],
        dense_led_forward(weights, config, **inputs)["logits"],
        rtol=1e-12,
    )


@pytest.mark.parametrize("name", ["head_mask", "decoder_head_mask"])
def test_each_head_mask_scales_its_own_attention_probs(name):
    config = tiny_config()
    inputs = make_inputs(np.random.default_rng(13))
    weights = spread_weights(config)
    mask = np.ones([2, 3])
    mask[1] = [0.0, 1.0, 0.5]
    plain = dense_led_forward(weights, config, **inputs)
    masked = dense_led_forward(weights, config, **inputs, **{name: mask})
    probs = {
        "head_mask": "encoder_attentions",
        "decoder_head_mask": "decoder_attentions",
    }
    field = probs.pop(name)
    (other,) = probs.values()
    scale = mask[1][:, None, None]
    np.testing.assert_allclose(masked[field][0], plain[field][0])
    np.testing.assert_allclose(masked[field][1], plain[field][1] * scale)
    np.testing.assert_allclose(masked[other][0], plain[other][0])
    assert np.abs(masked["logits"] - plain["logits"]).max() > 0.1


def test_cross_head_mask_reaches_the_cross_attention():
    config = tiny_config()
    inputs = make_inputs(np.random.default_rng(17))
    weights = spread_weights(config)
    mask = np.ones([2, 3])
    mask[0] = 0.0
    masked = dense_led_forward(weights, config, **inputs, cross_attn_head_mask=mask)
    assert np.all(masked["cross_attentions"][0] == 0)
    assert np.all(masked["cross_attentions"][1].sum(axis=-1).round(9) == 1)
    assert np.all(masked["decoder_attentions"][0].sum(axis=-1).round(9) == 1)


def test_a_query_that_sees_nothing_has_no_attention():
    config = tiny_config()
    inputs = make_inputs(np.random.default_rng(19))
    inputs["decoder_attention_mask"][0, :2] = 0
    probs = dense_led_forward(spread_weights(config), config, **inputs)
    assert np.all(probs["decoder_attentions"][0][0, :, :2] == 0)
    assert np.isfinite(probs["logits"]).all()


def test_rejects_what_it_cannot_do():
    ids = np.ones([1, 65], int)
    weights = spread_weights(tiny_config())
    with pytest.raises(ValueError, match="65 tokens are more than the 64 positions"):
        dense_led_forward(weights, tiny_config(), ids)
    config = tiny_config(activation_function="mish")
    with pytest.raises(ValueError, match="`activation_function` is 'mish'"):
        dense_led_forward(weights, config, ids[:, :5])
