"""Safetensors: what the library writes we read, what we write the library reads."""

import json

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.safetensors import read_safetensors, write_safetensors

DTYPES = ["float16", "bfloat16", "float32", "float64"]


def lazy(name, array):
    dtype = str(array.dtype)
    return LazyTensor(name, array.shape, dtype, None, lambda: array)


@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "uint8", "bool"])
def test_reads_what_torch_wrote(tmp_path, dtype):
    wanted = torch.arange(15).reshape(3, 5).to(getattr(torch, dtype))
    safetensors.torch.save_file({"a": wanted}, tmp_path / "a.safetensors")
    tensor = read_safetensors(tmp_path / "a.safetensors")["a"]
    assert (tensor.shape, tensor.dtype) == ((3, 5), dtype)
    assert str(tensor.read().dtype) == dtype
    np.testing.assert_array_equal(
        tensor.read().astype("float64"), wanted.double().numpy()
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_reads_what_we_wrote(tmp_path, dtype):
    kind = np.dtype(getattr(ml_dtypes, dtype) if dtype == "bfloat16" else dtype)
    array = np.linspace(-2, 2, 21).reshape(3, 7).astype(kind)
    write_safetensors(tmp_path / "a.safetensors", [lazy("a", array.T)])
    loaded = safetensors.torch.load_file(tmp_path / "a.safetensors")["a"]
    assert str(loaded.dtype) == f"torch.{dtype}"
    np.testing.assert_array_equal(loaded.double().numpy(), array.T.astype("float64"))


def test_tensors_of_any_width_and_size_share_a_file(tmp_path):
    arrays = {
        "half": np.ones(3, "float16"),
        "none": np.ones((0, 5), "float32"),
        "scalar": np.array(7.0, "float32"),
        "double": np.arange(11.0),
    }
    path = tmp_path / "a.safetensors"
    write_safetensors(path, [lazy(*pair) for pair in arrays.items()])
    loaded = safetensors.numpy.load_file(path)
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() == {"format": "pt"}
        assert file.offset_keys()[0] == "double"  # wide numbers first: all aligned


def test_nothing_is_read_before_it_is_needed(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(5), "b": np.ones(7)}, path)
    tensors = read_safetensors(path)
    blob = bytearray(path.read_bytes())
    blob[-8:] = np.float64(3).tobytes()
    path.write_bytes(blob)
    assert tensors["b"].read()[-1] == 3
    assert tensors["b"].nbytes == 56


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(5)}, path)
    tensor = read_safetensors(path)["a"]
    with open(path, "rb+") as file:
        file.truncate(path.stat().st_size - 8)
    with pytest.raises(CheckpointError, match=r"a\.safetensors.*has become shorter"):
        tensor.read()


def broken(kind):
    whole = safetensors.numpy.save({"a": np.zeros((3, 5))})
    header = json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 8]}})
    return {
        "cut": whole[:-1],
        "cut in the header": whole[:20],
        "longer": whole + b"x",
        "header beyond the file": (2**40).to_bytes(8, "little") + whole[8:],
        "no json": len(b"{]").to_bytes(8, "little") + b"{]",
        "false shape": len(header).to_bytes(8, "little") + header.encode() + bytes(8),
        "text": b"<html><body>404 Not Found</body></html>",
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "cut",
        "cut in the header",
        "longer",
        "header beyond the file",
        "no json",
        "false shape",
        "text",
    ],
)
def test_a_broken_file_is_named_in_one_line(tmp_path, kind):
    path = tmp_path / "model.safetensors"
    path.write_bytes(broken(kind))
    with pytest.raises(CheckpointError, match="truncated or corrupt") as caught:
        read_safetensors(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_dtype_that_numpy_lacks_is_kept_by_name(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"a": torch.ones(3).to(torch.float8_e5m2)}, path)
    assert read_safetensors(path)["a"].dtype == "F8_E5M2"
