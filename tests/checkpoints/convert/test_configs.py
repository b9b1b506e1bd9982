import json

import numpy as np
import pytest
import torch

import tf_led
from tests.checkpoints.conftest import CONFIG
from tf_led.checkpoints.convert.configs import (
    is_allenai,
    led_config,
    led_fields,
    tile_rows,
)
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights


@pytest.mark.parametrize("num_rows", [1, 3, 5, 6, 7, 17])
def test_rows_go_round(num_rows):
    table = np.arange(10, dtype="float16").reshape(5, 2)
    made = tile_rows(table, num_rows)
    assert made.dtype == table.dtype and made.shape == (num_rows, 2)
    for row, values in enumerate(made):
        np.testing.assert_array_equal(values, table[row % 5])


BART = {"model_type": "bart", "d_model": 12}


def test_fields_of_leds_own_and_of_others():
    fields = {**BART, "max_position_embeddings": 23, "dropout": 0.3, "project": "kept"}
    before = dict(fields)
    config = led_config(fields, attention_window=6, max_positions=101)
    assert fields == before
    assert (config.d_model, config.dropout, config.project) == (12, 0.3, "kept")
    assert config.attention_window == 6
    assert config.max_encoder_position_embeddings == 101
    assert config.max_decoder_position_embeddings == 23
    assert config.encoder_layers == 12  # BART's default, which the file left unsaid
    assert config.architectures == ["LEDForConditionalGeneration"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mbart"}, "model type 'mbart', not 'bart'"),
        ({"model_type": None}, "model type None"),
        ({"scale_embedding": True}, "`scale_embedding` True.*with False"),
        ({"normalize_before": True}, "`normalize_before` True"),
        ({"add_final_layer_norm": True}, "`add_final_layer_norm` True"),
        ({"static_position_embeddings": True}, "`static_position_embeddings` True"),
        ({"normalize_embedding": False}, "`normalize_embedding` False.*with True"),
        ({"architectures": ["BartForCausalLM"]}, "BartForCausalLM, which has no LED"),
        ({"d_model": "wide"}, "a field that BartConfig rejects.*d_model.*wide"),
    ],
)
def test_what_is_no_bart_is_an_error(change, message):
    with pytest.raises(CheckpointError, match=message):
        led_config({**BART, **change})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention_window": 5}, "`attention_window` must be even, got 5. Try 6"),
        ({"attention_window": 0}, "`attention_window`.*got 0"),
        ({"max_positions": -1}, "`max_positions`.*got -1"),
        ({"max_positions": 1.5}, "`max_positions`.*got 1.5"),
        ({"max_decoder_positions": True}, "`max_decoder_positions`.*got True"),
    ],
)
def test_bad_numbers_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        led_config(BART, **options)


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
