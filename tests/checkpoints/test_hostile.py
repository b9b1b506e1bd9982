"""Mutated files of every format: read, or rejected by our own error, and no crash."""

import json
import random
import shutil
import tarfile
import warnings

import numpy as np
import pytest
import torch

from tests.checkpoints.test_old_files import ARCHIVE
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights
from tf_led.models.pretrained.from_pretrained import load_config

LEGACY = "legacy/pytorch_model.bin"
FILES = [
    "torch-safetensors/model.safetensors",
    "tf-safetensors/model.safetensors",
    "torch-bin/pytorch_model.bin",
    LEGACY,
    "tf-h5/tf_model.h5",
    "tf-safetensors-sharded/model.safetensors.index.json",
    "tf-sharded/tf_model.h5.index.json",
    "tf-h5/config.json",
]
ODD = [b"\0" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\0\0\1\0\0\0", b"c", b"}"]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """Copies of the old classes' files, to spoil."""
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    whole = torch.load(folder / "old" / FILES[2])
    (folder / "old" / "legacy").mkdir()
    torch.save(whole, folder / "old" / LEGACY, _use_new_zipfile_serialization=False)
    return folder / "old"


def mutate(rng, blob):
    """Cuts, flips, overwrites, moves or repeats a few bytes; the start most of all."""
    blob = bytearray(blob)
    for _ in range(rng.choice([1, 1, 2, 5])):
        reach = rng.choice([64, 1024, len(blob)])
        at = rng.randrange(max(1, min(reach, len(blob))))
        kind = rng.randrange(5)
        if kind == 0:
            del blob[rng.randrange(len(blob) + 1) :]
        elif kind == 1 and blob:
            blob[at % len(blob)] ^= 1 << rng.randrange(8)
        elif kind == 2:
            odd = rng.choice([*ODD, rng.randbytes(4)])
            blob[at : at + len(odd)] = odd
        elif kind == 3:
            blob[at:at] = blob[: rng.randrange(9)]
        else:
            del blob[at : at + rng.randrange(1, 9)]
    return bytes(blob)


def mutate_json(rng, blob):
    """The form stays; a value or a key becomes something odd."""
    top = json.loads(blob)
    table = top.get("weight_map", top)
    odd = ["../../etc/passwd", "", None, -1, 2**70, 1e300, [], {}, True, "x" * 9, [0]]
    for _ in range(rng.choice([1, 1, 3])):
        key = rng.choice(sorted(table))
        if rng.random() < 0.7:
            table[key] = rng.choice(odd)
        else:
            table[rng.choice(["", "a/b", "x"])] = table.pop(key)
    return json.dumps(top).encode()


def open_one(path, variables):
    """Opens a spoiled file as a model does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is missing, NaN and so on
        if path.name == "config.json":
            load_config(str(path.parent), {}, {})
        else:
            load_weights(variables, path)


def attack(hostile, name, variables, count, seed):
    """Returns how many of `count` mutations were rejected."""
    path, rng = hostile / name, random.Random(f"{name}{seed}")
    whole, rejected = path.read_bytes(), 0
    try:
        for number in range(count):
            is_json = path.suffix == ".json" and number % 2
            spoiled = (mutate_json if is_json else mutate)(rng, whole)
            path.write_bytes(spoiled)
            try:
                open_one(path, variables)
            except CheckpointError as error:
                rejected += 1
                assert "\n" not in str(error)
            except Exception as error:
                kept = path.with_name(f"{path.name}.{number}.culprit")
                kept.write_bytes(spoiled)
                message = f"{kept}: {type(error).__name__}: {error}"
                raise AssertionError(message) from error
    finally:
        path.write_bytes(whole)
    open_one(path, variables)
    return rejected


@pytest.fixture(scope="module")
def small_variables(hostile):
    """Those of the archive's model."""
    import tf_led

    folder = hostile / "torch-safetensors"
    return tf_led.TFLEDForConditionalGeneration.from_pretrained(folder).weight_table()


@pytest.mark.parametrize("name", FILES)
def test_mutated_files(hostile, small_variables, name):
    assert attack(hostile, name, small_variables, 40, seed=0) > 10


@pytest.mark.large
@pytest.mark.parametrize("name", FILES)
def test_thousands_of_mutated_files(hostile, small_variables, name):
    assert attack(hostile, name, small_variables, 1000, seed=1) > 300


def test_nothing_is_written_beside_a_spoiled_file(hostile, small_variables, tmp_path):
    shutil.copytree(hostile / "tf-sharded", tmp_path / "copy")
    index = tmp_path / "copy" / "tf_model.h5.index.json"
    content = index.read_text().replace("tf_model-00002", "../tf_model-00002")
    index.write_text(content)
    before = sorted(tmp_path.rglob("*"))
    values = np.array(small_variables["led/shared/embeddings"])
    with pytest.raises(CheckpointError, match="a shard is a file beside the index"):
        load_weights(small_variables, index)
    assert sorted(tmp_path.rglob("*")) == before
    np.testing.assert_array_equal(small_variables["led/shared/embeddings"], values)
