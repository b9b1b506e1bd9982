"""Sharded checkpoints: the index, and the ways in which it can be wrong."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.safetensors import read_safetensors
from tf_led.checkpoints.formats.sharding import read_index, read_shards, shard_names

NAME = "model.safetensors.index.json"


@pytest.fixture
def index(tmp_path):
    """Writes two shards and an index; returns a function that changes its map."""
    save_file({"a": np.zeros(3), "b": np.ones(5)}, tmp_path / "1.safetensors")
    save_file({"c": np.ones(7)}, tmp_path / "2.safetensors")

    def write(**changes):
        weight_map = {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}
        text = json.dumps({"weight_map": {**weight_map, **changes}})
        (tmp_path / NAME).write_text(text)
        return tmp_path / NAME

    return write


def test_all_shards_are_read(index):
    tensors = read_shards(index(), read_safetensors)
    assert {key: tensor.shape for key, tensor in tensors.items()} == {
        "a": (3,),
        "b": (5,),
        "c": (7,),
    }
    assert tensors["c"].read().sum() == 7


def test_shard_names_once_and_in_order(index):
    assert shard_names(read_index(index())) == ["1.safetensors", "2.safetensors"]


def test_a_shard_that_is_not_there(index):
    message = r"names 3 shards of which 1 are not there: `3\.safetensors`"
    with pytest.raises(CheckpointError, match=message) as caught:
        read_shards(index(d="3.safetensors"), read_safetensors)
    assert NAME in str(caught.value)


def test_a_key_that_its_shard_lacks(index):
    message = r"2\.safetensors` lacks what the index promises of it: `b`"
    with pytest.raises(CheckpointError, match=message):
        read_shards(index(b="2.safetensors"), read_safetensors)


def test_a_key_in_two_shards(index, tmp_path):
    save_file({"c": np.ones(7), "b": np.ones(5)}, tmp_path / "2.safetensors")
    with pytest.raises(CheckpointError, match=r"2\.safetensors` repeats .* `b`"):
        read_shards(index(), read_safetensors)


@pytest.mark.parametrize(
    "name",
    ["../1.safetensors", "/etc/passwd", "a/b", "a\\b", "C:b", "..", ".", "", "a\0b", 3],
)
def test_a_shard_outside_the_folder_is_an_error(index, name):
    with pytest.raises(CheckpointError, match="a file beside the index") as caught:
        read_index(index(a=name))
    assert f"names `{name}` for `a`" in str(caught.value)


@pytest.mark.parametrize("name", ["a" * 256, "\N{SNOWMAN}" * 86])
def test_a_name_that_no_file_can_have_is_an_error(index, name):
    with pytest.raises(CheckpointError, match=f"names `{name[:20]}.*beside the index"):
        read_shards(index(a=name), read_safetensors)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"weight_map": []}',
        '{"weight_map": "a"}',
        "\xff",
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_index(tmp_path, text):
    (tmp_path / NAME).write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match="not the index of a sharded") as caught:
        read_index(tmp_path / NAME)
    assert NAME in str(caught.value)


def test_an_empty_index(tmp_path):
    (tmp_path / NAME).write_text('{"weight_map": {}}')
    with pytest.raises(CheckpointError, match="lists no weights"):
        read_index(tmp_path / NAME)
