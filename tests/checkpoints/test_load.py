"""Loading: what PyTorch writes we read, bit by bit, or nothing changes."""

import warnings

import keras
import ml_dtypes
import numpy as np
import pytest
import safetensors.torch
import torch

from tf_led.checkpoints import load
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.hub.resolve import LocalCheckpoint
from tf_led.checkpoints.load import load_weights


def renamed(state, rename):
    """Changes that give every key another name."""
    gone = dict.fromkeys(state)
    return {**gone, **{rename(key): array for key, array in state.items()}}


def test_missing_keys_are_warned_about_and_left(write, variables):
    gone = ["led.decoder.layers.1.fc2.bias", "led.encoder.embed_positions.weight"]
    variables["led/decoder/layers/1/fc2/bias"].assign(np.full(12, 5.0))
    with pytest.warns(UserWarning, match="lacks 2 of the model's weights") as caught:
        report = load_weights(variables, write(dict.fromkeys(gone)))
    assert report.missing_keys == gone
    assert all(key in str(caught[0].message) for key in gone)
    assert caught[0].filename == __file__
    assert (variables["led/decoder/layers/1/fc2/bias"].numpy() == 5).all()


def test_what_became_of_them_is_in_the_warning(write, variables):
    """Left as they were, or drawn: as it was with this call."""
    key, path = "led.encoder.layers.1.fc1.weight", "led/encoder/layers/1/fc1/kernel"
    lacking = write({key: None})
    with pytest.warns(UserWarning, match="lacks 1 .* left as they were: "):
        load_weights(variables, lacking)
    drawn = []
    with pytest.warns(UserWarning, match="lacks 1 .* newly drawn: "):
        load_weights(variables, lacking, draw=drawn.extend)
    other = write({key: np.ones((19, 12), "float32")})
    with pytest.warns(UserWarning, match="1 .* not loaded but newly drawn: "):
        load_weights(variables, other, ignore_mismatched_sizes=True, draw=drawn.extend)
    assert drawn == [variables[path]] * 2


def test_unexpected_keys_are_warned_about(write, variables, same):
    extra = {
        "led.encoder.layers.2.fc1.bias": np.ones(17),
        "qa_outputs.weight": np.ones((2, 12)),
        **{f"led.decoder.position_ids.{i}": np.arange(3) for i in range(4)},
    }
    with pytest.warns(UserWarning, match="6 weights .* and 3 more"):
        report = load_weights(variables, write(extra))
    assert report.unexpected_keys == sorted(extra)
    same(variables)


def test_old_names_of_norms(write, state, variables, same):
    def old(key):
        is_norm = "layer_norm" in key or "layernorm_emb" in key
        if not is_norm:
            return key
        return key.replace(".weight", ".gamma").replace(".bias", ".beta")

    changes = renamed(state, old)
    assert sum(key.endswith("gamma") for key in changes) == 12
    assert load_weights(variables, write(changes)).as_dict()["missing_keys"] == []
    same(variables)


def test_a_shape_that_does_not_fit(write, variables, untouched):
    changes = {
        "led.encoder.layers.1.fc1.weight": np.zeros((19, 12), "float32"),
        "led.encoder.layers.1.fc1.bias": np.zeros(19, "float32"),
    }
    path = write(changes)
    with pytest.raises(CheckpointError, match="ignore_mismatched_sizes") as caught:
        load_weights(variables, path)
    message = str(caught.value)
    assert "led.encoder.layers.1.fc1." in message and "and 1 more" in message
    assert "(19" in message and "(17" in message and str(path) in message
    untouched(variables)


def test_a_shape_that_does_not_fit_can_be_ignored(write, variables):
    key, path = "led.encoder.layers.1.fc1.weight", "led/encoder/layers/1/fc1/kernel"
    file = write({key: np.ones((19, 12), "float32")})
    with pytest.warns(UserWarning, match=f"1 weights of another shape.*{key}"):
        report = load_weights(variables, file, ignore_mismatched_sizes=True)
    assert report.mismatched_keys == [(key, (19, 12), (17, 12))]
    assert report.missing_keys == []
    assert not variables.pop(path).numpy().any()
    assert all(variable.numpy().any() for variable in variables.values())


def test_a_file_that_fits_is_no_reason_to_warn(torch_dir, variables):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_weights(variables, torch_dir)
    assert not [w for w in caught if "weights" in str(w.message)]


def test_safetensors_of_pytorch(torch_dir, variables, same):
    report = load_weights(variables, torch_dir)
    assert report.as_dict() == {
        "missing_keys": [],
        "unexpected_keys": [],
        "mismatched_keys": [],
        "error_msgs": [],
        "nonfinite_keys": [],
    }
    same(variables)


def test_sharded_safetensors_of_pytorch(torch_model, tmp_path, variables, same):
    torch_model.save_pretrained(tmp_path, max_shard_size="5KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 5
    report = load_weights(variables, tmp_path)
    assert report.missing_keys == report.unexpected_keys == []
    same(variables)


@pytest.mark.parametrize("is_zip", [True, False])
def test_bin_of_pytorch_with_its_tied_names(
    torch_model, tmp_path, variables, same, is_zip
):
    path = tmp_path / "pytorch_model.bin"
    table = torch_model.state_dict()
    assert {"lm_head.weight", "led.encoder.embed_tokens.weight"} < table.keys()
    torch.save(table, path, _use_new_zipfile_serialization=is_zip)
    assert load_weights(variables, path).unexpected_keys == []
    same(variables)


def test_sharded_bin(torch_model, tmp_path, variables, same):
    table = torch_model.state_dict()
    halves = {"1.bin": list(table)[::2], "2.bin": list(table)[1::2]}
    for name, keys in halves.items():
        torch.save({key: table[key] for key in keys}, tmp_path / name)
    weight_map = {key: name for name, keys in halves.items() for key in keys}
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(str({"weight_map": weight_map}).replace("'", '"'))
    load_weights(variables, tmp_path)
    same(variables)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_other_float_dtypes_are_cast(torch_model, tmp_path, variables, dtype, name):
    kind = getattr(torch, dtype)
    table = {k: v.to(kind) for k, v in torch_model.state_dict().items()}
    path = tmp_path / name
    if name.endswith(".bin"):
        torch.save(table, path)
    else:
        clones = {k: v.clone() for k, v in table.items()}
        safetensors.torch.save_file(clones, path)
    load_weights(variables, path)
    got = variables["led/encoder/layers/1/fc1/kernel"].numpy()
    wanted = table["led.encoder.layers.1.fc1.weight"].float().numpy().T
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, wanted)


def test_variables_of_half_precision(torch_dir, make_variables, state):
    variables = make_variables(dtype="bfloat16")
    load_weights(variables, torch_dir)
    got = variables["led/shared/embeddings"]
    assert keras.backend.standardize_dtype(got.dtype) == "bfloat16"
    wanted = state["led.shared.weight"].astype(ml_dtypes.bfloat16).astype("float32")
    np.testing.assert_array_equal(keras.ops.cast(got, "float32").numpy(), wanted)


def test_every_tensor_is_read_once_and_every_variable_set_once(
    torch_dir, make_variables, monkeypatch
):
    variables = make_variables()
    counts = {path: 0 for path in variables}
    for path, variable in variables.items():
        assign = variable.assign

        def counted(value, path=path, assign=assign):
            counts[path] += 1
            return assign(value)

        monkeypatch.setattr(variable, "assign", counted)
    load_weights(variables, torch_dir)
    assert set(counts.values()) == {1}


def test_a_base_models_file_into_a_head(torch_model, tmp_path, variables, same, state):
    torch_model.led.save_pretrained(tmp_path)
    variables["final_logits_bias"].assign(np.full((1, 29), 7.0))
    report = load_weights(variables, tmp_path)  # and no warning: an error here
    assert report.missing_keys == report.unexpected_keys == []
    assert not variables.pop("final_logits_bias").numpy().any()
    same(variables)


def test_a_heads_file_into_a_base_model(torch_dir, make_variables, same):
    variables = make_variables(head=False)
    with pytest.warns(UserWarning, match="1 weights that .*`final_logits_bias`"):
        report = load_weights(variables, torch_dir)
    assert report.unexpected_keys == ["final_logits_bias"]
    assert report.missing_keys == []
    same(variables)


def test_a_square_kernel_is_transposed(torch_dir, variables, state):
    load_weights(variables, torch_dir)
    key = "led.decoder.layers.0.encoder_attn.v_proj.weight"
    got = variables["led/decoder/layers/0/encoder_attn/v_proj/kernel"].numpy()
    np.testing.assert_array_equal(got, state[key].T)
    assert not np.array_equal(got, state[key])


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_truncated_file_changes_nothing(
    torch_model, tmp_path, variables, untouched, name
):
    path = tmp_path / name
    if name.endswith("bin"):
        torch.save(torch_model.state_dict(), path)
    else:
        torch_model.save_pretrained(tmp_path)
    with open(path, "rb+") as file:
        file.truncate(path.stat().st_size - 4)
    with pytest.raises(CheckpointError, match="truncated"):
        load_weights(variables, path)
    untouched(variables)


def test_a_bin_with_one_wrong_bit_changes_nothing(
    torch_model, tmp_path, variables, untouched
):
    path = tmp_path / "pytorch_model.bin"
    torch.save(torch_model.state_dict(), path)
    blob = bytearray(path.read_bytes())
    tensor = torch_model.state_dict()["led.decoder.layers.1.fc2.weight"]
    blob[blob.index(tensor.numpy().tobytes()) + 7] ^= 1
    path.write_bytes(blob)
    with pytest.raises(CheckpointError, match="corrupt"):
        load_weights(variables, path)
    untouched(variables)


def test_a_missing_shard_changes_nothing(torch_model, tmp_path, variables, untouched):
    torch_model.save_pretrained(tmp_path, max_shard_size="5KB")
    sorted(tmp_path.glob("*.safetensors"))[-1].unlink()
    with pytest.raises(CheckpointError, match="index.json` names .* not there"):
        load_weights(variables, tmp_path)
    untouched(variables)


def test_sources(torch_dir, make_variables, same):
    file = torch_dir / "model.safetensors"
    for source in (str(torch_dir), file, LocalCheckpoint("x", file)):
        variables = make_variables()
        load_weights(variables, source)
        same(variables)


def test_no_file(tmp_path, variables):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_weights(variables, tmp_path / "nowhere")


def test_a_variable_that_is_not_leds(torch_dir, variables):
    variables["led/encoder/lora"] = keras.Variable(0.0)
    with pytest.raises(ValueError, match="`led/encoder/lora` has no name in PyTorch"):
        load_weights(variables, torch_dir)


@pytest.mark.parametrize(("limit", "is_shown"), [(1, True), (10**9, False)])
def test_a_bar_for_large_files_only(
    torch_dir, variables, monkeypatch, capsys, limit, is_shown
):
    monkeypatch.setattr(load, "_PROGRESS_FROM", limit)
    load_weights(variables, torch_dir)
    out, err = capsys.readouterr()
    assert out == "" and ("100%" in err) == is_shown
