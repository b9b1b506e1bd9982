"""The legacy stream: what goes wrong in it beyond what both formats share."""

import pickle

import pytest
import torch

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.torch_files import read_torch
from tf_led.checkpoints.torch_legacy import MAGIC


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
