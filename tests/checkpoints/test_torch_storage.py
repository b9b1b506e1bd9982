"""Records that do not describe what is in the file are refused."""

import collections
from pathlib import Path

import numpy as np
import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.torch_storage import check_table, lazy_tensors
from tf_led.checkpoints.torch_vocabulary import Storage, TensorRecord

STORAGE = Storage("0", "float32", 15)
GOOD = TensorRecord(STORAGE, 2, (3, 4), (4, 1))
PATH = Path("a.bin")


@pytest.mark.parametrize(
    "change",
    [
        {"storage": "0"},
        {"storage": STORAGE._replace(numel=-1)},
        {"storage": STORAGE._replace(numel="15")},
        {"offset": -1},
        {"offset": None},
        {"offset": True},
        {"shape": [3, 4]},
        {"shape": (3, -4)},
        {"shape": (3, 4.0)},
        {"shape": (3,)},
        {"strides": (4, -1)},
        {"strides": None},
    ],
)
def test_a_record_that_makes_no_sense(change):
    assert check_table({"w": GOOD}, PATH) == {"w": GOOD}
    with pytest.raises(CheckpointError, match="`a.bin`: the description of `w` is bro"):
        check_table({"w": GOOD._replace(**change)}, PATH)


def test_attributes_that_a_pickle_set_change_nothing():
    table = collections.OrderedDict(w=GOOD)
    table.items = table.keys = "trap"
    assert check_table(table, PATH) == {"w": GOOD}


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({}, 59),
        ({}, 64),
        ({"offset": 4}, 60),
        ({"shape": (4, 4)}, 60),
        ({"strides": (5, 1)}, 60),
        ({"storage": STORAGE._replace(key="1")}, 60),
        ({"shape": (2**40, 2**40), "strides": (1, 1)}, 60),
    ],
)
def test_a_record_that_reaches_beyond_its_storage(tmp_path, change, size):
    table = {"w": GOOD._replace(**change)}
    with pytest.raises(CheckpointError, match="numbers of `w` are not all there"):
        lazy_tensors(table, {"0": (100, size)}, PATH)


def test_a_record_is_read_from_its_place(tmp_path):
    path = tmp_path / "a.bin"
    numbers = np.arange(15, dtype="float32")
    path.write_bytes(b"x" * 100 + numbers.tobytes())
    tensor = lazy_tensors({"w": GOOD}, {"0": (100, 60)}, path)["w"]
    np.testing.assert_array_equal(tensor.read(), numbers[2:14].reshape(3, 4))
