"""PyTorch's own files, zip and legacy, read without PyTorch as PyTorch reads them."""

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.pytorch_bin import (
    MAGIC,
    check_torch,
    read_torch,
    write_torch,
)

FORMATS = {"zip": True, "legacy": False}


@pytest.fixture(params=FORMATS)
def save(request, tmp_path):
    """Writes with real torch, in either format; returns the path."""

    def write(table):
        path = tmp_path / "pytorch_model.bin"
        is_zip = FORMATS[request.param]
        torch.save(table, path, _use_new_zipfile_serialization=is_zip)
        return path

    return write


def check(tensors, table):
    assert list(tensors) == list(table)
    for key, wanted in table.items():
        array = tensors[key].read()
        assert tensors[key].shape == array.shape == tuple(wanted.shape)
        assert f"torch.{tensors[key].dtype}" == str(wanted.dtype)
        assert str(array.dtype) == tensors[key].dtype
        wanted = wanted.detach().double().numpy()
        np.testing.assert_array_equal(array.astype("float64"), wanted, key)


@pytest.mark.parametrize(
    "dtype",
    [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
    ],
)
def test_dtypes(save, dtype):
    table = {"a": torch.arange(15).reshape(3, 5).to(getattr(torch, dtype))}
    check(read_torch(save(table)), table)


def test_views(save):
    base = torch.randn(7, 11)
    table = {
        "whole": base,
        "turned": base.t(),
        "window": base[2:5, 3:9],
        "every other": base[1::2, ::3],
        "last row": base[-1],
        "stretched": torch.randn(1, 3).expand(5, 3),
        "none": torch.zeros(0, 3),
        "scalar": torch.tensor(3.5),
        "flat": base.flatten()[13:],
    }
    check(read_torch(save(table)), table)


def test_a_state_dict_with_its_metadata_and_parameters(save):
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.LayerNorm(5))
    assert model.state_dict()._metadata  # torch pickles it as an attribute
    check(read_torch(save(model.state_dict())), model.state_dict())
    table = dict(model.named_parameters())
    check(read_torch(save(table)), table)


def test_tied_tensors_have_one_place(save):
    shared = torch.randn(3, 5)
    equal = shared.clone()
    tensors = read_torch(save({"a": shared, "b": shared, "c": equal, "d": shared[1:]}))
    assert tensors["a"].place == tensors["b"].place
    assert len({tensors[key].place for key in "acd"}) == 3


def test_files_without_checksums(tmp_path):
    path = tmp_path / "a.bin"
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.ones(3)}, path)
    finally:
        torch.serialization.set_crc32_options(before)
    assert all(entry.CRC == 0 for entry in zipfile.ZipFile(path).infolist())
    np.testing.assert_array_equal(read_torch(path)["a"].read(), np.ones(3))


def test_reading_needs_no_torch(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "a.bin")
    source = (
        "import sys; sys.modules['torch'] = None\n"
        "from tf_led.checkpoints.formats.pytorch_bin import read_torch\n"
        f"print(read_torch({str(tmp_path / 'a.bin')!r})['a'].read().sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3.0\n"


class Touch:
    """Pickles as a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_file_that_calls_something_is_an_error_with_its_name(save, tmp_path):
    trap = tmp_path / "trap"
    path = save({"a": torch.ones(3), "b": Touch(trap)})
    with pytest.raises(CheckpointError, match=r"asks for `_?io\.open`.*nothing") as e:
        read_torch(path)
    assert str(path) in str(e.value)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (torch.nn.Linear(2, 3), "torch.nn.modules.linear.Linear"),
        ({"a": torch.ones(3).to(torch.float8_e5m2)}, "torch._utils._rebuild_tensor_v3"),
        ({"a": np.float64(3)}, "numpy.*core.multiarray.scalar"),
        ({"a": torch.ones(3).to_sparse()}, "torch._utils._rebuild_sparse_tensor"),
    ],
)
def test_other_things_are_errors_with_their_name(save, thing, name):
    with pytest.raises(CheckpointError, match=f"asks for `{name}`"):
        read_torch(save(thing))


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ({"model": {"a": torch.ones(3)}, "step": 3}, "`model` is not a tensor"),
        ({"a": torch.ones(3), "step": 3}, "`step` is not a tensor"),
        ({("a", 3): torch.ones(3)}, "a key of type tuple, not text"),
        ([torch.ones(3)], "not hold a table of tensors"),
        (torch.ones(3), "not hold a table of tensors"),
        ({}, "not hold a table of tensors"),
    ],
)
def test_other_tables_are_errors(save, thing, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        read_torch(save(thing))
    assert "pytorch_model.bin" in str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(save, part):
    path = save({"a": torch.randn(31, 37), "b": torch.randn(41)})
    blob = path.read_bytes()
    path.write_bytes(blob[: int(len(blob) * part)])
    with pytest.raises(CheckpointError, match="truncated|broken pickle") as caught:
        read_torch(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_has_lost_its_middle(tmp_path):
    path = tmp_path / "a.bin"
    torch.save({"a": torch.randn(31)}, path)
    blob = path.read_bytes()
    path.write_bytes(blob[:100] + blob[120:])
    with pytest.raises(CheckpointError, match="corrupt"):
        read_torch(path)


def test_a_flipped_bit_is_found_by_its_checksum(tmp_path):
    path = tmp_path / "a.bin"
    numbers = torch.randn(31)
    torch.save({"a": numbers}, path)
    blob = bytearray(path.read_bytes())
    blob[blob.index(numbers.numpy().tobytes()) + 3] ^= 1
    path.write_bytes(blob)
    with pytest.raises(CheckpointError, match="corrupt in its part `a/data/0`"):
        read_torch(path)


@pytest.mark.parametrize("start", [b"", b"\x93NUMPY", b"<html>", b"{}"])
def test_a_file_of_another_kind(tmp_path, start):
    path = tmp_path / "a.bin"
    path.write_bytes(start)
    with pytest.raises(CheckpointError, match="not a PyTorch file") as caught:
        read_torch(path)
    assert repr(start[:8]) in str(caught.value)


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """Writes an archive of torch.save anew with some of its entries changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries = {k: v for k, v in {**entries, **change}.items() if v is not None}
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    path.write_bytes(blob.getvalue())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a/data.pkl": None}, "has no data.pkl"),
        ({"a/byteorder": b"big"}, "big-endian"),
        ({"a/data/0": b"\0" * 11}, "numbers of `a` are not all there"),
        ({"a/data/0": None}, "numbers of `a` are not all there"),
    ],
)
def test_archives_that_contradict_themselves(tmp_path, change, message):
    path = tmp_path / "a.bin"
    torch.save({"a": torch.ones(3)}, path)
    rewrite(path, change)
    with pytest.raises(CheckpointError, match=message):
        read_torch(path)


def test_archives_from_before_byteorder_was_written(tmp_path):
    path = tmp_path / "a.bin"
    torch.save({"a": torch.ones(3)}, path)
    rewrite(path, {"a/byteorder": None, "a/.format_version": None})
    np.testing.assert_array_equal(read_torch(path)["a"].read(), np.ones(3))


def test_compressed_archives_are_errors(tmp_path):
    path = tmp_path / "a.bin"
    torch.save({"a": torch.zeros(3)}, path)
    rewrite(path, {"a/data/0": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="`a/data.pkl` is compressed"):
        read_torch(path)


def test_entries_that_share_their_bytes_are_errors(tmp_path):
    """A thousand entries of one region would each be read to the end."""
    path = tmp_path / "a.bin"
    torch.save({"a": torch.ones(3), "b": torch.ones(5)}, path)
    blob = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        first, second = (archive.getinfo(f"a/data/{i}") for i in "01")
    at = blob.rindex(b"a/data/1") - 46  # its entry in the directory
    blob[at + 42 : at + 46] = first.header_offset.to_bytes(4, "little")
    path.write_bytes(blob)
    assert first.header_offset < second.header_offset
    with pytest.raises(CheckpointError, match="corrupt in its part `a/data/"):
        read_torch(path)


def test_a_file_that_shrinks_while_it_is_read(save):
    path = save({"a": torch.ones(31)})
    tensor = read_torch(path)["a"]
    with open(path, "rb+") as file:
        file.truncate(100)
    with pytest.raises(CheckpointError, match="shorter while it was read"):
        tensor.read()


@pytest.fixture
def parts(tmp_path):
    """The five pickles of a real file, and the numbers behind them."""
    path = tmp_path / "whole.bin"
    table = {"a": torch.ones(3)}
    torch.save(table, path, _use_new_zipfile_serialization=False)
    with open(path, "rb") as file:
        file.read(len(MAGIC))
        protocol, system = pickle.load(file), pickle.load(file)
        start = file.tell()
        record = file.read()
    end = record.index(b".\x80\x02") + 1
    assert start and protocol == 1001 and system["little_endian"] is True
    return {"protocol": 1001, "system": system, "rest": record, "table_end": end}


def write(tmp_path, *pickles, rest):
    path = tmp_path / "a.bin"
    path.write_bytes(
        MAGIC + b"".join(pickle.dumps(p, protocol=2) for p in pickles) + rest
    )
    return path


def test_put_together_again(parts, tmp_path):
    path = write(tmp_path, parts["protocol"], parts["system"], rest=parts["rest"])
    assert read_torch(path)["a"].read().tolist() == [1, 1, 1]


@pytest.mark.parametrize("protocol", [1002, "1001", True])
def test_another_version(parts, tmp_path, protocol):
    path = write(tmp_path, protocol, parts["system"], rest=parts["rest"])
    with pytest.raises(CheckpointError, match="unknown version"):
        read_torch(path)


def test_another_byte_order(parts, tmp_path):
    system = {**parts["system"], "little_endian": False}
    path = write(tmp_path, parts["protocol"], system, rest=parts["rest"])
    with pytest.raises(CheckpointError, match="big-endian"):
        read_torch(path)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([], "not list the storages"),
        ({}, "not list the storages"),
        ([3], "not list the storages"),
        (["{}", "other"], "no tensor uses"),
    ],
)
def test_a_list_of_storages_that_does_not_fit(parts, tmp_path, order, message):
    table, rest = (
        parts["rest"][: parts["table_end"]],
        parts["rest"][parts["table_end"] :],
    )
    (key,) = pickle.loads(rest)
    if isinstance(order, list):
        order = [name.replace("{}", key) if name == "{}" else name for name in order]
    path = write(tmp_path, parts["protocol"], parts["system"], rest=table)
    numbers = rest[len(pickle.dumps([key], protocol=2)) :]
    with open(path, "ab") as file:
        file.write(pickle.dumps(order, protocol=2) + numbers)
    with pytest.raises(CheckpointError, match=message):
        read_torch(path)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_and_we_read_what_is_written(tmp_path, dtype):
    array = np.arange(6).reshape(2, 3).astype(getattr(ml_dtypes, dtype, dtype)).T
    array.flags.writeable = False
    tensor = LazyTensor("a.b", array.shape, dtype, Path("file"), lambda: array)
    write_torch(tmp_path / "m.bin", [tensor])
    held = torch.load(tmp_path / "m.bin", weights_only=True)
    assert [*held] == ["a.b"] and held["a.b"].dtype == getattr(torch, dtype)
    assert held["a.b"].tolist() == [[0, 3], [1, 4], [2, 5]]
    again = read_torch(tmp_path / "m.bin")["a.b"]
    assert again.dtype == dtype
    np.testing.assert_array_equal(again.read(), array)


def test_without_torch(monkeypatch):
    check_torch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install torch"):
        check_torch()
