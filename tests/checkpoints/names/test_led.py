"""The table of names: complete against PyTorch's model, and its own inverse."""

import numpy as np
import pytest
import torch
import transformers

from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.table import keep, transpose

ATTENTION = ("query", "key", "value", "query_global", "key_global", "value_global")


def our_paths(encoder_layers=2, decoder_layers=2):
    """Every path of a model with a head, written out apart from the table."""
    paths = ["final_logits_bias", "led/shared/embeddings"]
    for half in ("encoder", "decoder"):
        paths.append(f"led/{half}/embed_positions/embeddings")
        paths += [f"led/{half}/layernorm_embedding/{p}" for p in ("gamma", "beta")]
    dense, norms = [], []
    for i in range(encoder_layers):
        layer = f"led/encoder/layers/{i}"
        dense += [f"{layer}/self_attn/{part}" for part in (*ATTENTION, "output")]
        dense += [f"{layer}/fc1", f"{layer}/fc2"]
        norms += [f"{layer}/self_attn_layer_norm", f"{layer}/final_layer_norm"]
    for i in range(decoder_layers):
        layer = f"led/decoder/layers/{i}"
        for attention in ("self_attn", "encoder_attn"):
            dense += [f"{layer}/{attention}/{p}_proj" for p in ("q", "k", "v", "out")]
            norms.append(f"{layer}/{attention}_layer_norm")
        dense += [f"{layer}/fc1", f"{layer}/fc2"]
        norms.append(f"{layer}/final_layer_norm")
    paths += [f"{name}/{part}" for name in dense for part in ("kernel", "bias")]
    return paths + [f"{name}/{part}" for name in norms for part in ("gamma", "beta")]


def test_the_paths_are_those_of_pytorchs_model(state):
    keys = [LED_NAMES.to_pytorch(path)[0] for path in our_paths()]
    assert sorted(keys) == sorted(state)


def test_the_base_models_names_have_no_prefix(torch_model):
    bare = [p.removeprefix("led/") for p in our_paths() if p.startswith("led/")]
    keys = [LED_NAMES.to_pytorch(path)[0] for path in bare]
    tied = [key for key in torch_model.led.state_dict() if key in LED_NAMES.untied]
    assert len(tied) == 2
    assert sorted(keys + tied) == sorted(torch_model.led.state_dict())


@pytest.mark.parametrize("path", our_paths(1, 1))
def test_there_and_back(path):
    key, transform = LED_NAMES.to_pytorch(path)
    assert LED_NAMES.to_ours(key) == (LED_NAMES.bare(path), transform)
    numbers = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(transform(transform(numbers)), numbers)


def test_kernels_and_only_kernels_are_transposed():
    for path in our_paths():
        is_kernel = path.endswith("kernel")
        assert (LED_NAMES.to_pytorch(path)[1] is transpose) == is_kernel, path


def test_linear_layers_of_pytorch_are_the_transposed_ones():
    model = transformers.LEDModel(
        transformers.LEDConfig(
            d_model=4,
            vocab_size=5,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=1,
            decoder_attention_heads=1,
            encoder_ffn_dim=3,
            decoder_ffn_dim=3,
            max_encoder_position_embeddings=8,
            max_decoder_position_embeddings=8,
            attention_window=[2],
        )
    )
    linear = {
        f"{name}.weight"
        for name, part in model.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    ours = {key: LED_NAMES.to_ours(key) for key in model.state_dict()}
    assert {k for k, (_, f) in ours.items() if f is transpose} == linear


@pytest.mark.parametrize("prefix", ["", "led."])
@pytest.mark.parametrize("name", ["encoder.embed_tokens.weight", "lm_head.weight"])
def test_tied_names_lead_to_the_shared_embeddings(prefix, name):
    assert LED_NAMES.to_ours(prefix + name)[0] == "shared/embeddings"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("encoder.layernorm_embedding.gamma", "encoder/layernorm_embedding/gamma"),
        (
            "led.decoder.layers.11.encoder_attn_layer_norm.beta",
            "decoder/layers/11/encoder_attn_layer_norm/beta",
        ),
    ],
)
def test_old_names_of_norms(old, new):
    assert LED_NAMES.to_ours(old)[0] == new


@pytest.mark.parametrize(
    "key",
    [
        "led.encoder.layers.{}.fc1.weight",
        "led.encoder.layers.01.fc1.weight",
        "led.encoder.layers.-1.fc1.weight",
        "led.encoder.layers.٣.fc1.weight",
        "led.encoder.layers.0.fc1.gamma",
        "led.final_logits_bias",
        "led.led.shared.weight",
        "model.shared.weight",
        "",
    ],
)
def test_names_that_are_not_leds(key):
    assert LED_NAMES.to_ours(key) is None


def test_paths_that_are_not_ours():
    assert LED_NAMES.to_pytorch("led/encoder/layers/{}/fc1/kernel") is None
    assert LED_NAMES.to_pytorch("led/encoder/layers/0/fc1/scale") is None


@pytest.mark.parametrize(
    "layer", ["classification_head.dense", "classification_head.out_proj", "qa_outputs"]
)
def test_other_heads_there_and_back(layer):
    """They stand beside the body, without its prefix, and say nothing of a LED."""
    ours = layer.replace(".", "/")
    rows = {"weight": ("kernel", transpose), "bias": ("bias", keep)}
    for theirs, (kind, transform) in rows.items():
        key, path = f"{layer}.{theirs}", f"{ours}/{kind}"
        assert LED_NAMES.to_ours(key) == (path, transform)
        assert LED_NAMES.to_pytorch(path) == (key, transform)
        assert LED_NAMES.to_ours(f"led.{key}") is None
        assert not LED_NAMES.identifies_model(path)
