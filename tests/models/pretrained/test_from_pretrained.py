import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import BartConfig, GenerationConfig, LEDForConditionalGeneration

import tf_led
from tests.models.conftest import SMALL, make_model
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.models.pretrained.from_pretrained import (
    load_config,
    load_generation_config,
)
from tf_led.models.pretrained.weight_table import weight_table
from tf_led.testing import tiny_config

Model = tf_led.TFLEDForConditionalGeneration


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint with a bias that is not 0 and options for generation."""
    model = make_model(**SMALL)
    model.generation_config.num_beams = 3
    directory = tmp_path_factory.mktemp("saved")
    model.save_pretrained(directory)
    return directory, model


@pytest.fixture
def broken(saved, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(saved[0], tmp_path / "broken")


def test_all_comes_back(saved, inputs):
    directory, model = saved
    again, report = Model.from_pretrained(str(directory), output_loading_info=True)
    assert not any(report.values())
    np.testing.assert_array_equal(again(inputs).logits, model(inputs).logits)
    assert again.generation_config.num_beams == 3
    assert again.name_or_path == str(directory)
    assert sorted(path.name for path in directory.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
    ]


def test_pytorch_opens_it(saved, inputs):
    directory, model = saved
    theirs, report = LEDForConditionalGeneration.from_pretrained(
        directory, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    # PyTorch wants documents padded to the window.
    ids = np.tile(inputs["input_ids"][:, :6], [1, 2])
    decoder_ids = inputs["decoder_input_ids"]
    with torch.no_grad():
        logits = theirs.eval()(
            input_ids=torch.tensor(ids), decoder_input_ids=torch.tensor(decoder_ids)
        ).logits
    mine = model(input_ids=ids, decoder_input_ids=decoder_ids).logits
    np.testing.assert_allclose(mine, logits, rtol=1e-3, atol=1e-3)


def test_the_bare_model_reads_and_writes_it_too(saved, tmp_path, inputs):
    directory, model = saved
    with pytest.warns(UserWarning, match="does not use: `final_logits_bias`"):
        bare = tf_led.TFLEDModel.from_pretrained(directory)
    states = model.led(inputs).last_hidden_state
    np.testing.assert_array_equal(bare(inputs).last_hidden_state, states)
    bare.save_pretrained(tmp_path)
    assert not (tmp_path / "generation_config.json").exists()
    again = tf_led.TFLEDModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again(inputs).last_hidden_state, states)


@pytest.mark.parametrize(
    ("override", "field", "value"),
    [
        ({"dropout": 0.5}, "dropout", 0.5),
        ({"attention_window": [4]}, "attention_window", [4]),
        ({"attention_probs_dropout_prob": 0.3}, "attention_dropout", 0.3),
        ({"num_labels": 5}, "num_labels", 5),
        ({"output_hidden_states": True}, "output_hidden_states", True),
        ({"return_dict": False}, "return_dict", False),
    ],
)
def test_fields_of_the_config_may_be_overridden(saved, override, field, value):
    """Under any name by which LEDConfig knows them."""
    config = load_config(str(saved[0]), {}, override)
    assert getattr(config, field) == value
    assert config.d_model == 12


def test_options_of_the_model(saved):
    model = Model.from_pretrained(
        saved[0], dtype="mixed_bfloat16", max_global_tokens=3, name="mine"
    )
    assert model.dtype_policy.name == "mixed_bfloat16" and model.name == "mine"
    assert model.get_encoder().max_global_tokens == 3


def test_a_config_of_ones_own(saved, inputs):
    directory, model = saved
    config = tiny_config(**SMALL, mine=3)
    given = Model.from_pretrained(directory, config=config)
    assert given.config is config
    changed = Model.from_pretrained(directory, config=config, dropout=0.7)
    assert changed.config.dropout == 0.7 and config.dropout == 0.1
    assert changed.config.mine == 3
    found = Model.from_pretrained(directory, config=str(directory))
    np.testing.assert_array_equal(found(inputs).logits, model(inputs).logits)


@pytest.mark.parametrize("config", [{"d_model": 12}, 3, BartConfig()])
def test_what_is_no_config_is_rejected(saved, config):
    name = type(config).__name__
    with pytest.raises(TypeError, match=f"directory or a Hub id, got {name}"):
        Model.from_pretrained(saved[0], config=config)


@pytest.mark.parametrize("name", ["device_map", "dropuot"])
def test_unknown_options_are_rejected(saved, name):
    with pytest.raises(ValueError, match=f"'{name}', which is neither an option nor a"):
        Model.from_pretrained(saved[0], **{name: True})


def test_weights_of_another_size(saved):
    with pytest.raises(
        ValueError, match=r"final_logits_bias` .* \(1, 29\).* \(1, 31\)"
    ):
        Model.from_pretrained(saved[0], vocab_size=31)
    with pytest.warns(UserWarning, match="shape"):
        model = Model.from_pretrained(
            saved[0], vocab_size=31, ignore_mismatched_sizes=True
        )
    assert model.led.shared.embeddings.shape == (31, 12)
    np.testing.assert_array_equal(
        model.led.encoder.layers_0.fc1.kernel, saved[1].led.encoder.layers_0.fc1.kernel
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"model_type": "bart"}', "config.json is of model type 'bart', not 'led'"),
        ("{}", "is of model type None, not 'led'"),
        ('{"model_type": "l', "config.json` is not valid JSON"),
        ("[3]", "config.json` is not a JSON object but list: .3."),
        ("3", "config.json` is not a JSON object but int: 3"),
        ("[" * 100_000, "config.json` is not valid JSON"),
    ],
)
def test_a_config_that_is_no_leds(broken, content, message):
    (broken / "config.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        Model.from_pretrained(broken)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d_model", 0),
        ("vocab_size", 2**40),
        ("encoder_layers", -3),
        ("decoder_layers", 2**30),
        ("encoder_layers", 1000),
    ],
)
def test_sizes_that_no_model_can_have(broken, name, value):
    fields = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**fields, name: value}))
    with pytest.raises(ValueError, match=f"The config has `{name}` {value}[;,] "):
        Model.from_pretrained(broken)


def test_labels_that_would_fill_the_memory(broken):
    fields = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**fields, "num_labels": 2**40}))
    with pytest.raises(CheckpointError, match="`num_labels` 1099511627776"):
        Model.from_pretrained(broken)
    with pytest.raises(CheckpointError, match="`num_labels` 0"):
        load_config(tiny_config(), {}, {"num_labels": 0})


def test_weights_that_a_small_file_lacks_are_not_drawn_without_end(broken):
    fields = json.loads((broken / "config.json").read_text())
    wide = {"d_model": 4095, "encoder_ffn_dim": 4099, "decoder_ffn_dim": 4099}
    (broken / "config.json").write_text(json.dumps({**fields, **wide}))
    bias = {"final_logits_bias": np.zeros([1, fields["vocab_size"]], "float32")}
    bias["led.encoder.layernorm_embedding.weight"] = np.ones([4095], "float32")
    save_file(bias, broken / "model.safetensors")
    before = resident_bytes()
    with pytest.raises(
        CheckpointError, match="has 4,124 numbers .* and 319,319,918 .* `led.shared"
    ):
        Model.from_pretrained(broken)
    assert resident_bytes() - before < 200 << 20


@pytest.mark.parametrize("error", [MemoryError, OSError, OverflowError])
def test_memory_that_is_not_there(saved, monkeypatch, error):
    def build(*_, **__):
        raise error("no room")

    monkeypatch.setattr(
        "tf_led.models.pretrained.pretrained_model.TFLEDMainLayer", build
    )
    with pytest.raises(CheckpointError, match="memory cannot hold: no room"):
        Model.from_pretrained(saved[0])


def test_a_field_that_leads_to_an_error_in_the_depths(broken):
    fields = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**fields, "dtype": [7]}))
    with pytest.raises(ValueError, match="a field that LEDConfig rejects: "):
        Model.from_pretrained(broken)


def test_what_is_not_there(broken, tmp_path):
    (broken / "config.json").unlink()
    with pytest.raises(
        FileNotFoundError, match="has no config.json; there is `gen.*, `mod"
    ):
        Model.from_pretrained(broken)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="has no config.json; there is nothing"):
        Model.from_pretrained(tmp_path / "empty")
    with pytest.raises(
        FileNotFoundError, match="nowhere` is neither a folder here nor"
    ):
        Model.from_pretrained(tmp_path / "nowhere")


def test_only_the_kind_of_file_asked_for(saved):
    with pytest.raises(FileNotFoundError, match="looked for pytorch_model.bin"):
        Model.from_pretrained(saved[0], use_safetensors=False)


def test_generation_options(saved, broken):
    directory, model = saved
    assert load_generation_config(directory, model.config, {}).num_beams == 3
    # Older checkpoints have them in config.json, as the model does where none are.
    (broken / "generation_config.json").unlink()
    found = load_generation_config(broken, tiny_config(bos_token_id=7), {})
    assert isinstance(found, GenerationConfig)
    assert (found.bos_token_id, found.decoder_start_token_id) == (7, 2)


def test_generation_options_of_an_old_config_are_pytorchs(broken):
    (broken / "generation_config.json").unlink()
    fields = json.loads((broken / "config.json").read_text())
    fields |= {"num_beams": 5, "max_length": 41, "decoder_start_token_id": 3}
    (broken / "config.json").write_text(json.dumps(fields))
    theirs = LEDForConditionalGeneration.from_pretrained(broken).generation_config
    found = Model.from_pretrained(broken).generation_config
    for name in ("num_beams", "max_length", "decoder_start_token_id"):
        assert getattr(found, name) == getattr(theirs, name) == fields[name]
    # A field that is overridden counts, not the file's.
    found = Model.from_pretrained(broken, decoder_start_token_id=7).generation_config
    assert (found.num_beams, found.decoder_start_token_id) == (5, 7)


def test_unknown_ways_to_save_are_rejected(saved, tmp_path):
    with pytest.raises(
        ValueError, match="save_pretrained got 'foo', which it does not"
    ):
        saved[1].save_pretrained(tmp_path / "new", foo=3)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("file_dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_config_says_the_dtype_of_the_file(broken, tmp_path, file_dtype, dtype):
    """PyTorch loads in the config's dtype: another one would round the weights."""
    fields = json.loads((broken / "config.json").read_text())
    fields |= {"dtype": file_dtype, "torch_dtype": file_dtype}
    (broken / "config.json").write_text(json.dumps(fields))
    if file_dtype == "float16":  # PyTorch's own, not only its name
        half = LEDForConditionalGeneration.from_pretrained(broken).half()
        half.save_pretrained(broken)
    model = Model.from_pretrained(broken, dtype=dtype)
    table = model.get_input_embeddings()
    table.embeddings.assign(table.embeddings * 1.0001)  # no longer float16's numbers
    model.save_pretrained(tmp_path / "again")
    written = json.loads((tmp_path / "again/config.json").read_text())
    assert written["dtype"] == written.get("torch_dtype", dtype) == dtype
    theirs = LEDForConditionalGeneration.from_pretrained(tmp_path / "again")
    assert theirs.dtype == getattr(torch, dtype)
    read = theirs.led.shared.weight.detach().numpy()
    np.testing.assert_array_equal(read, np.asarray(table.embeddings))


def test_uploading_is_another_method(saved, tmp_path):
    saved[1].save_pretrained(tmp_path, push_to_hub=False, max_shard_size="50kiB")
    assert (tmp_path / "config.json").exists()
    with pytest.raises(ValueError, match="`push_to_hub` is True"):
        saved[1].save_pretrained(tmp_path, push_to_hub=True)


def test_a_file_is_no_directory(saved, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file`: it is a file"):
        saved[1].save_pretrained(tmp_path / "file")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_is_no_checkpoint(saved, tmp_path, name):
    saved[1].save_pretrained(tmp_path)
    with pytest.raises(NotADirectoryError, match=f"{name}` is a file; give the folder"):
        type(saved[1]).from_pretrained(tmp_path / name)


def test_shards(saved, tmp_path, inputs):
    _, model = saved
    model.save_pretrained(tmp_path, max_shard_size=10_000)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 1
    again = Model.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again(inputs).logits, model(inputs).logits)


def test_an_unknown_format_raises(saved, tmp_path):
    with pytest.raises(ValueError, match="`safe_serialization` must .* got 'h5'"):
        saved[1].save_pretrained(tmp_path, safe_serialization="h5")


def numbers(variables):
    """Identities of what a checkpoint holds: no states of random generators."""
    return sorted(id(variable) for variable in variables if "seed" not in variable.path)


def test_every_weight_stands_there_once(model):
    table = weight_table(model)
    assert numbers(table.values()) == numbers(model.variables)


def test_paths_are_those_of_the_checkpoint_table(model, base):
    """The bare model's without the prefix, as PyTorch's bare model has it."""
    paths = set(model.weight_table())
    assert "led/encoder/layers/1/self_attn/output/kernel" in paths
    assert "led/decoder/layers/0/encoder_attn/k_proj/bias" in paths
    assert "final_logits_bias" in paths
    assert all(LED_NAMES.to_pytorch(path) for path in paths)
    bare = {f"led/{path}" for path in base.weight_table()}
    assert bare == paths - {"final_logits_bias"}


def test_a_single_layer_has_paths_of_its_own(model):
    layer = model.get_encoder().layers[0]
    table = weight_table(layer)
    assert table["fc1/kernel"] is layer.fc1.kernel
    assert len(table) == len(layer.weights)


def test_what_a_wrapper_adds_is_left_to_it():
    class Wrapper(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(3)
            self.again = self.inner
            self.inner.build((None, 5))

    assert list(weight_table(Wrapper())) == ["inner/kernel", "inner/bias"]


def test_more_layers_mean_more_paths():
    deeper = make_model(encoder_layers=3, attention_window=4)
    assert "led/encoder/layers/2/fc2/bias" in deeper.weight_table()


@pytest.mark.parametrize("name", ["encoder_ffn_dim", "vocab_size"])
def test_sizes_of_the_config_take_no_memory_before_the_file_is_compared(
    saved, tmp_path, name
):
    saved[1].save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, name: 10**8}))
    before = resident_bytes()
    with pytest.raises(ValueError, match="100000000"):
        type(saved[1]).from_pretrained(tmp_path)
    assert resident_bytes() - before < 200 << 20


def resident_bytes():
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
