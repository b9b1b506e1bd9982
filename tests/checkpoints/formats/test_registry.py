"""The table of formats: one row makes a format known to loading and saving."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import tf_led
from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.registry import FORMATS, Format, open_weights
from tf_led.checkpoints.formats.replace import remove_other_weights
from tf_led.checkpoints.hub.resolve import find_weights
from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.save import save_weights, write_weights


def test_each_format_has_its_reader(tmp_path):
    save_file({"a": np.ones(3)}, tmp_path / "model.safetensors")
    torch.save({"a": torch.ones(3)}, tmp_path / "pytorch_model.bin")
    for name in ("model.safetensors", "pytorch_model.bin"):
        assert open_weights(tmp_path / name)["a"].read().sum() == 3


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weight file .*none\.bin"):
        open_weights(tmp_path / "none.bin")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bin", b"", r"a\.bin` is empty"),
        ("a.safetensors", b"", r"a\.safetensors` is empty"),
        ("a.ckpt", b"x", r"a\.ckpt` is of no known format"),
        ("a.safetensors", b"\2\0\0\0\0\0\0\0{}", "holds no tensor"),
        ("a.bin", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_files_that_are_not_weights(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        open_weights(tmp_path / name)


def read_npz(path):
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    return {
        key: LazyTensor(key, a.shape, a.dtype.name, path, lambda _=None, a=a: a.copy())
        for key, a in arrays.items()
    }


def write_npz(path, tensors):
    np.savez(path, **{tensor.name: tensor.read() for tensor in tensors})


def test_a_further_format_is_one_row(tmp_path, monkeypatch):
    """Written, sharded, found, read and replaced, with nothing else changed."""
    monkeypatch.setitem(FORMATS, "npz", Format("led", ".npz", read_npz, write_npz))
    gain, bias = keras.Variable([1.0, 2.0]), keras.Variable([3.0, 5.0])
    norm = "led/encoder/layernorm_embedding"
    table = {f"{norm}/gamma": gain, f"{norm}/beta": bias}
    for size in ("5GB", 8):
        with staged(tmp_path) as staging:
            files = write_weights(table, staging, kind="npz", max_shard_size=size)
        assert len(files) == (1 if size == "5GB" else 3)
        assert {*tmp_path.iterdir()} == {*files}
        assert find_weights(tmp_path) == files[-1]
        gain.assign([0.0, 0.0])
        assert not any(load_weights(table, tmp_path).as_dict().values())
        assert gain.numpy().tolist() == [1, 2] and bias.numpy().tolist() == [3, 5]
    save_weights(table, tmp_path / "other")
    with staged(tmp_path) as staging:
        write_weights(table, staging)
        remove_other_weights(staging)
    assert [file.name for file in tmp_path.glob("*.*")] == ["model.safetensors"]


def test_no_other_module_lists_formats():
    """Names of weight files and endings stand in the table and nowhere else."""
    package = Path(tf_led.__file__).parent
    read = [row for row in FORMATS.values() if row.read is not None]
    own = {name for row in read for name in (row.file, row.ending)}
    own |= {"pytorch_model", "tf_model", FORMATS["keras"].file}
    elsewhere = []
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in own:
                elsewhere.append(f"{path.relative_to(package)}: {node.value}")
    assert {line.partition(":")[0] for line in elsewhere} == {
        "checkpoints/formats/registry.py"
    }
