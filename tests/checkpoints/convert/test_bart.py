"""A BART that PyTorch wrote becomes a LED that computes the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.checkpoints.conftest import CONFIG
from tf_led import LEDConfig, TFLEDForConditionalGeneration
from tf_led.checkpoints.convert.bart import (
    bart_to_led,
    check_shapes,
    expected_shape,
    led_tensors,
)
from tf_led.checkpoints.convert.configs import led_config
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.names.led import LED_NAMES


def test_the_shapes_are_those_that_pytorch_makes(state):
    config = LEDConfig(**CONFIG)
    body = [key for key in state if key.startswith("led.") and "positions" not in key]
    for key in body:
        assert expected_shape(LED_NAMES.bare(key), config) == state[key].shape, key
    assert expected_shape("lm_head.weight", config) == (29, 12)


def test_positions_may_be_of_any_number_but_not_of_any_width(torch_dir):
    config = LEDConfig(**CONFIG)
    tensors = open_weights(torch_dir / "model.safetensors")
    table = {"encoder.embed_positions.weight": tensors["led.shared.weight"]}
    check_shapes(table, config, Path("file"))
    config.d_model = 13
    with pytest.raises(CheckpointError, match=r"`file`.* \(29, 12\).* \(29, 13\)"):
        check_shapes(table, config, Path("file"))


POSITIONS, LENGTH = 23, 19
FIELDS = {
    "vocab_size": 29,
    "d_model": 12,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 17,
    "decoder_ffn_dim": 19,
    "max_position_embeddings": POSITIONS,
}


def write_bart(folder, head="ForConditionalGeneration", **fields):
    torch.manual_seed(0)
    config = transformers.BartConfig(**{**FIELDS, **fields})
    model = getattr(transformers, f"Bart{head}")(config).eval()
    for tensor in model.state_dict().values():
        torch.nn.init.normal_(tensor, std=0.5)
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def bart(tmp_path_factory):
    """The folder of a BART, not to be written to, and the model."""
    folder = tmp_path_factory.mktemp("bart")
    return folder, write_bart(folder)


@pytest.fixture(scope="module")
def led(bart, tmp_path_factory):
    """The folder of the LED made of it."""
    folder = tmp_path_factory.mktemp("led")
    bart_to_led(bart[0], folder, attention_window=38, max_positions=101)
    return folder


def test_within_one_window_the_led_is_the_bart(bart, led):
    model, report = TFLEDForConditionalGeneration.from_pretrained(
        led, output_loading_info=True
    )
    assert not any(report.values())
    rng = np.random.default_rng(0)
    ids, decoder_ids = rng.integers(3, 29, [2, LENGTH]), rng.integers(3, 29, [2, 7])
    mask = np.ones_like(ids)
    mask[0, 13:] = 0
    with torch.no_grad():
        expected = bart[1](
            input_ids=torch.tensor(ids),
            attention_mask=torch.tensor(mask),
            decoder_input_ids=torch.tensor(decoder_ids),
        ).logits.numpy()
    logits = model(
        input_ids=ids, attention_mask=mask, decoder_input_ids=decoder_ids
    ).logits
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_pytorchs_led_opens_it(led):
    _, report = transformers.LEDForConditionalGeneration.from_pretrained(
        led, output_loading_info=True
    )
    assert not any(report.values())


def test_positions_go_round_without_barts_first_rows(bart, led):
    state, made = bart[1].state_dict(), load_file(led / "model.safetensors")
    rows = state["model.encoder.embed_positions.weight"][2:]
    table = made["led.encoder.embed_positions.weight"]
    assert table.shape == (101, 12) and len(rows) == POSITIONS
    assert torch.equal(table, torch.cat([rows] * 5)[:101])
    rows = state["model.decoder.embed_positions.weight"][2:]
    assert torch.equal(made["led.decoder.embed_positions.weight"], rows)


def test_global_projections_are_copies(led):
    made = load_file(led / "model.safetensors")
    inner = "led.encoder.layers.1.self_attn.longformer_self_attn"
    for part in ("query", "key", "value"):
        for suffix in ("weight", "bias"):
            local = made[f"{inner}.{part}.{suffix}"]
            assert torch.equal(local, made[f"{inner}.{part}_global.{suffix}"])


def test_the_config_says_what_became_of_it(led):
    config = json.loads((led / "config.json").read_text())
    assert (config["model_type"], config["attention_window"]) == ("led", 38)
    assert config["architectures"] == ["LEDForConditionalGeneration"]
    assert config["max_encoder_position_embeddings"] == 101
    assert config["max_decoder_position_embeddings"] == POSITIONS
    assert {config[name] for name in FIELDS if name in config} >= {29, 12, 17, 19}
    assert not {"scale_embedding", "max_position_embeddings"} & config.keys()
    options = json.loads((led / "generation_config.json").read_text())
    assert options["forced_eos_token_id"] == 2


def test_decoder_positions_can_be_more(bart, tmp_path):
    config = bart_to_led(bart[0], tmp_path, max_positions=5, max_decoder_positions=31)
    assert config.max_decoder_position_embeddings == 31
    made = load_file(tmp_path / "model.safetensors")
    assert made["led.decoder.embed_positions.weight"].shape == (31, 12)
    assert made["led.encoder.embed_positions.weight"].shape == (5, 12)


@pytest.mark.parametrize(
    ("head", "made"),
    [
        ("Model", "LEDModel"),
        ("ForSequenceClassification", "LEDForSequenceClassification"),
        ("ForQuestionAnswering", "LEDForQuestionAnswering"),
    ],
)
def test_other_heads(head, made, tmp_path):
    import tf_led

    write_bart(tmp_path / "bart", head)
    config = bart_to_led(tmp_path / "bart", tmp_path / "led", max_positions=37)
    assert config.architectures == [made]
    assert config.num_labels == 3 or head != "ForSequenceClassification"
    _, report = getattr(tf_led, f"TF{made}").from_pretrained(
        tmp_path / "led", output_loading_info=True
    )
    assert not any(report.values())


def test_pytorchs_own_format_with_tied_copies_and_an_old_config(bart, tmp_path):
    state = bart[1].state_dict()
    assert "lm_head.weight" in state
    state["model.encoder.version"] = torch.tensor([3.0])
    source = tmp_path / "bart"
    source.mkdir()
    torch.save(state, source / "pytorch_model.bin")
    config = {**FIELDS, "model_type": "bart", "num_beams": 4, "normalize_before": False}
    (source / "config.json").write_text(json.dumps(config))
    bart_to_led(source, tmp_path / "led", safe_serialization=False)
    made = torch.load(tmp_path / "led/pytorch_model.bin")
    assert torch.equal(made["led.shared.weight"], state["model.shared.weight"])
    assert not {f"led.{name}" for name in LED_NAMES.untied} & made.keys()
    options = json.loads((tmp_path / "led/generation_config.json").read_text())
    assert options == {"num_beams": 4}


def test_a_tokenizer_goes_along_as_leds(bart, tmp_path):
    import shutil

    source = shutil.copytree(bart[0], tmp_path / "bart")
    fields = {"tokenizer_class": "BartTokenizer", "model_max_length": 1024, "x": "ä"}
    (source / "tokenizer_config.json").write_text(json.dumps(fields))
    (source / "merges.txt").write_text("#version: 0.2\n")
    bart_to_led(source, tmp_path / "led", max_positions=37)
    written = json.loads((tmp_path / "led/tokenizer_config.json").read_text())
    assert written == {
        "tokenizer_class": "LEDTokenizer",
        "model_max_length": 37,
        "x": "ä",
    }
    assert (tmp_path / "led/merges.txt").read_text() == "#version: 0.2\n"


@pytest.mark.parametrize("value", [np.nan, -np.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nan_and_infinity_are_reported_as_where_a_model_is_loaded(
    bart, tmp_path, value, dtype
):
    state = load_file(bart[0] / "model.safetensors")
    names = ["decoder.layers.0.fc1.bias", "encoder.embed_positions.weight"]
    for name in names:
        state[f"model.{name}"].view(-1)[-1] = value
    state = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((bart[0] / "config.json").read_bytes())
    message = "model.safetensors` has 2 weights with NaN or infinite numbers: .*" + (
        ".*".join(f"model.{name}" for name in names)
    )
    with pytest.warns(UserWarning, match=message) as caught:
        bart_to_led(tmp_path, tmp_path / "led", max_positions=POSITIONS)
    assert [warning.filename for warning in caught] == [__file__]
    made = load_file(tmp_path / "led/model.safetensors")
    assert not torch.isfinite(made["led.decoder.layers.0.fc1.bias"][-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shared.weight": None}, "lacks `shared.weight`"),
        ({"decoder.layers.0.fc1.bias": None}, "lacks `decoder.layers.0.fc1.bias`"),
        (
            {"decoder.layers.1.fc1.bias": [19]},
            "beyond the layers of config.json.*1.fc1",
        ),
        ({"encoder.layer_norm.weight": [12]}, "has `model.encoder.layer_norm.weight`"),
        (
            {"encoder.layers.0.self_attn.output.bias": [12]},
            "layers.0.self_attn.output.bias`, which is not a",
        ),
        ({"encoder.layers.0.fc1.weight": [17, 13]}, r"shape \(17, 13\).* \(17, 12\)"),
        ({"shared.weight": [31, 12]}, r"shape \(31, 12\).* \(29, 12\)"),
        ({"encoder.embed_positions.weight": [2, 12]}, "has 2 rows"),
        ({"encoder.embed_positions.weight": [25]}, r"shape \(25,\)"),
        ({"encoder.embed_tokens.weight": [29, 12]}, "untied embeddings"),
    ],
)
def test_weights_that_do_not_fit_are_errors(bart, tmp_path, change, message):
    state = load_file(bart[0] / "model.safetensors")
    for name, shape in change.items():
        state.pop(f"model.{name}", None)
        if shape is not None:
            state[f"model.{name}"] = torch.ones(shape)
    save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((bart[0] / "config.json").read_bytes())
    with pytest.raises(CheckpointError, match=message):
        bart_to_led(tmp_path, tmp_path / "led")
    assert not (tmp_path / "led").exists()


@pytest.mark.parametrize("dtype", [torch.int32, torch.float8_e4m3fn])
def test_weights_that_are_no_plain_floats_are_errors(bart, tmp_path, dtype):
    state = load_file(bart[0] / "model.safetensors")
    state["model.decoder.layers.0.fc1.bias"] = torch.ones(19).to(dtype)
    file = tmp_path / "model.safetensors"
    save_file(state, file)
    with pytest.raises(CheckpointError, match="fc1.bias` is (int32|F8_E4M3)"):
        led_tensors(
            open_weights(file), led_config({**FIELDS, "model_type": "bart"}), file
        )


@pytest.mark.parametrize("name", ["encoder_layers", "decoder_layers"])
def test_layers_beyond_any_file_are_errors_at_once(bart, name):
    file = bart[0] / "model.safetensors"
    config = led_config({**FIELDS, "model_type": "bart", name: 10**12})
    with pytest.raises(CheckpointError, match=f"`{name}` 1000000000000"):
        led_tensors(open_weights(file), config, file)


def test_one_weight_twice_is_an_error(bart, tmp_path):
    state = load_file(bart[0] / "model.safetensors")
    state["shared.weight"] = state["model.shared.weight"].clone()
    save_file(state, tmp_path / "model.safetensors")
    config = led_config({**FIELDS, "model_type": "bart"})
    file = tmp_path / "model.safetensors"
    with pytest.raises(CheckpointError, match="one weight as `.*shared.weight"):
        led_tensors(open_weights(file), config, file)


def test_untied_tables_are_all_kept(bart, tmp_path):
    state = load_file(bart[0] / "model.safetensors")
    state["lm_head.weight"] = 2 * state["model.shared.weight"]
    file = tmp_path / "model.safetensors"
    save_file(state, file)
    fields = {**FIELDS, "model_type": "bart", "tie_word_embeddings": False}
    made = led_tensors(open_weights(file), led_config(fields), file)
    assert {"lm_head.weight", "led.shared.weight"} <= made.keys()
