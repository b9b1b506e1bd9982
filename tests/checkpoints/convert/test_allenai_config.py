"""AllenAI's own LongformerEncoderDecoder: its names, tables and config."""

import json

import numpy as np
import pytest
import torch

import tf_led
from tests.checkpoints.conftest import CONFIG
from tf_led.checkpoints.convert.allenai_config import is_allenai, led_fields
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights

FIELDS = {
    **{name: value for name, value in CONFIG.items() if name != "attention_window"},
    "architectures": ["LongformerEncoderDecoderForConditionalGeneration"],
    "attention_window": [2, 3],
    "attention_dilation": [1, 1],
    "attention_mode": "sliding_chunks",
    "autoregressive": False,
    "gradient_checkpointing": False,
    "model_type": "bart",
    "normalize_embedding": True,
    "scale_embedding": False,
}


def original(state):
    """The names that its pytorch_model.bin has, and the rows that no token uses."""
    table = {}
    for key, array in state.items():
        if "embed_positions" in key:
            array = np.concatenate([np.full((2, 12), np.nan, "float32"), array])
        table[key.replace("led.", "model.", 1)] = torch.tensor(array)
    for half in ("encoder", "decoder"):
        table[f"model.{half}.embed_tokens.weight"] = table["model.shared.weight"]
    return table


def test_the_weights(state, tmp_path, variables, same):
    path = tmp_path / "pytorch_model.bin"
    torch.save(original(state), path)
    report = load_weights(variables, path)
    assert not any(report.as_dict().values())
    same(variables)


def test_the_whole_model_computes_what_pytorchs_led_computes(
    torch_model, state, tmp_path
):
    torch.save(original(state), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(FIELDS))
    model = tf_led.TFLEDForConditionalGeneration.from_pretrained(tmp_path)
    assert model.config.attention_window == [4, 6]
    ids = np.array([[0, 5, 17, 11, 3, 7, 23, 9, 2, 4, 8, 2]])
    with torch.no_grad():
        wanted = torch_model.eval()(
            input_ids=torch.tensor(ids), decoder_input_ids=torch.tensor(ids[:, :3])
        ).logits
    logits = model(input_ids=ids, decoder_input_ids=ids[:, :3]).logits
    np.testing.assert_allclose(logits, wanted, rtol=1e-3, atol=1e-3)


def test_other_configs_are_not_taken_for_it():
    assert is_allenai(FIELDS)
    assert not is_allenai({"model_type": "bart", "attention_mode": "tvm"})
    assert not is_allenai({**FIELDS, "model_type": "led"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attention_mode", "n2"),
        ("autoregressive", True),
        ("attention_dilation", [1, 2]),
        ("attention_dilation", 3),
        ("attention_window", 512),
        ("attention_window", [2, "3"]),
        ("max_encoder_position_embeddings", None),
        ("max_decoder_position_embeddings", "x"),
        ("scale_embedding", True),
    ],
)
def test_options_that_led_does_not_have_are_an_error(name, value):
    with pytest.raises(CheckpointError) as caught:
        led_fields({**FIELDS, name: value}, "config.json")
    assert f"`{name}` {value!r}" in str(caught.value)
