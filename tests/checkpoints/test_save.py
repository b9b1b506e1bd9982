"""Saving: PyTorch's LED opens it with nothing missing and nothing unexpected."""

import json
import shutil

import keras
import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
import transformers

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.save import save_weights, write_weights


@pytest.fixture
def loaded(torch_dir, variables):
    """Our variables, holding PyTorch's weights."""
    load_weights(variables, torch_dir)
    return variables


@pytest.fixture
def one():
    """A table of one variable, for what needs no whole model."""
    return {"led/shared/embeddings": keras.Variable(np.ones((5, 3)))}


def open_with_torch(cls, folder, torch_dir):
    shutil.copy(torch_dir / "config.json", folder)
    model, info = getattr(transformers, cls).from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(info.values()), info
    return model.state_dict()


@pytest.mark.parametrize("max_shard_size", ["5GB", "5KB", 3000, 1])
def test_pytorch_to_ours_to_pytorch_is_bit_equal(
    torch_model, torch_dir, loaded, tmp_path, max_shard_size
):
    # Twice: the second save may not overwrite the shards of the first.
    for _ in range(2):
        files = save_weights(loaded, tmp_path, max_shard_size=max_shard_size)
        assert {*files} == {*tmp_path.glob("model*")}
        state = open_with_torch("LEDForConditionalGeneration", tmp_path, torch_dir)
        assert state.keys() == torch_model.state_dict().keys()
        for key, tensor in torch_model.state_dict().items():
            assert torch.equal(state[key], tensor), key


def test_a_base_model(torch_model, torch_dir, make_variables, tmp_path):
    variables = make_variables(head=False)
    with pytest.warns(UserWarning, match="final_logits_bias"):
        load_weights(variables, torch_dir)
    save_weights(variables, tmp_path)
    state = open_with_torch("LEDModel", tmp_path, torch_dir)
    for key, tensor in torch_model.led.state_dict().items():
        assert torch.equal(state[key], tensor), key


def test_the_keys_are_those_that_pytorch_writes(torch_dir, loaded, tmp_path):
    (file,) = save_weights(loaded, tmp_path)
    with (
        safetensors.safe_open(file, framework="np") as ours,
        safetensors.safe_open(torch_dir / file.name, framework="np") as theirs,
    ):
        assert sorted(ours.keys()) == sorted(theirs.keys())
        assert ours.metadata() == theirs.metadata() == {"format": "pt"}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_kept(
    torch_model, torch_dir, make_variables, tmp_path, dtype
):
    variables = make_variables(dtype=dtype)
    load_weights(variables, torch_dir)
    (file,) = save_weights(variables, tmp_path)
    loaded = safetensors.torch.load_file(file)
    for key, tensor in loaded.items():
        wanted = torch_model.state_dict()[key].to(getattr(torch, dtype))
        assert tensor.dtype == wanted.dtype and torch.equal(tensor, wanted), key
    again = make_variables(dtype=dtype)
    load_weights(again, tmp_path)
    for path, variable in variables.items():
        assert keras.ops.all(again[path] == variable)


def test_the_index(loaded, tmp_path):
    files = save_weights(loaded, tmp_path, max_shard_size="5KB")
    assert files[-1].name == "model.safetensors.index.json"
    index = json.loads(files[-1].read_text())
    total = sum(4 * int(np.prod(variable.shape)) for variable in loaded.values())
    assert index["metadata"] == {"total_size": total}
    assert {*index["weight_map"].values()} == {file.name for file in files[:-1]}
    assert files[0].name == f"model-00001-of-{len(files) - 1:05}.safetensors"
    for file in files[:-1]:
        assert file.stat().st_size < 5000 + 2000  # the header comes on top


def test_other_files_may_take_part_in_a_save(loaded, tmp_path):
    with staged(tmp_path) as staging:
        (staging.path / "config.json").write_text("{}")
        files = write_weights(loaded, staging)
        assert not (tmp_path / "config.json").exists() and not files[0].exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_a_variable_that_is_not_leds(one, tmp_path):
    one["led/encoder/lora"] = keras.Variable(0.0)
    with pytest.raises(ValueError, match="`led/encoder/lora` has no name in PyTorch"):
        save_weights(one, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("max_shard_size", ["5GB", 3000])
def test_pytorchs_own_format_is_bit_equal(
    torch_model, torch_dir, loaded, tmp_path, max_shard_size
):
    save_weights(loaded, tmp_path)  # which readers would prefer, were it left
    for _ in range(2):
        files = save_weights(
            loaded, tmp_path, max_shard_size=max_shard_size, safe_serialization=False
        )
        assert {*files} == {*tmp_path.glob("*model*")}
        state = open_with_torch("LEDForConditionalGeneration", tmp_path, torch_dir)
        for key, tensor in torch_model.state_dict().items():
            assert torch.equal(state[key], tensor), key


def test_bfloat16_in_pytorchs_own_format(one, tmp_path):
    halves = {"led/shared/embeddings": keras.Variable([[1.5, -3.0]], dtype="bfloat16")}
    (file,) = save_weights(halves, tmp_path, safe_serialization=False)
    held = torch.load(file)["led.shared.weight"]
    assert held.dtype == torch.bfloat16 and held.tolist() == [[1.5, -3.0]]


def test_safetensors_leave_what_no_reader_prefers(one, tmp_path):
    save_weights(one, tmp_path, safe_serialization=False)
    save_weights(one, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "model.safetensors",
        "pytorch_model.bin",
    ]


def test_pytorchs_own_format_without_torch(one, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pytorch_model.bin .* needs PyTorch"):
        save_weights(one, tmp_path, safe_serialization=False)
    assert not any(tmp_path.iterdir())


def test_an_unknown_format(one, tmp_path):
    with pytest.raises(ValueError, match="`safe_serialization` must be .* got 'no'"):
        save_weights(one, tmp_path, safe_serialization="no")
    with (
        pytest.raises(ValueError, match="`kind` must be one of .* got 'msgpack'"),
        staged(tmp_path) as staging,
    ):
        write_weights(one, staging, kind="msgpack")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("size", ["5 apples", "", 0, -3, None, [3]])
def test_a_wrong_shard_size(one, tmp_path, size):
    with pytest.raises(ValueError, match="`max_shard_size` must be") as caught:
        save_weights(one, tmp_path, max_shard_size=size)
    assert repr(size) in str(caught.value)
    assert not any(tmp_path.iterdir())
