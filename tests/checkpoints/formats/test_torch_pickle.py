"""The restricted unpickler: hostile pickles are rejected before anything happens."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.torch_pickle import (
    ALLOWED_GLOBALS,
    Storage,
    TensorRecord,
    check_table,
    lazy_tensors,
    read_pickle,
)

REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def read(data):
    return read_pickle(io.BytesIO(data), "a.bin")


def test_plain_values_pass():
    value = {"a": [1, 2.5, "x", None, True, (3, 4)], "b": 2**40}
    assert read(pickle.dumps(value, protocol=2)) == value


def test_the_next_pickle_starts_where_one_ends():
    file = io.BytesIO(b"junk" + pickle.dumps([1], 2) + pickle.dumps([2], 2) + b"rest")
    file.seek(4)
    assert read_pickle(file, "f") == [1]
    assert read_pickle(file, "f") == [2]
    assert file.read() == b"rest"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"cos\nsystem\n(X\x04\x00\x00\x00truetR.", "os.system"),
        (b"c__builtin__\neval\n.", "__builtin__.eval"),
        (b"cbuiltins\ngetattr\n.", "builtins.getattr"),
        (b"ctorch\nload\n.", "torch.load"),
        (b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "__globals__"),
        (b"ccollections\nOrderedDict.fromkeys\n.", "OrderedDict.fromkeys"),
    ],
)
def test_globals_are_errors_with_their_name(data, name):
    with pytest.raises(CheckpointError, match=f"`a.bin` asks for .*{name}.*nothing"):
        read(data)


@pytest.mark.parametrize(
    ("data", "opcode"),
    [
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "SHORT_BINUNICODE"),
        (b"(ios\nsystem\n.", "INST"),
        (b"]\x81.", "NEWOBJ"),
        (b"\x82\x01.", "EXT1"),
        (b"Pname\n.", "PERSID"),
        (b"(K\x01o.", "OBJ"),
        (b"\x96" + bytes([0, 0, 0, 0, 0, 0, 0, 0]) + b".", "BYTEARRAY8"),
    ],
)
def test_instructions_that_torch_does_not_use_are_errors(data, opcode):
    with pytest.raises(CheckpointError, match=f"instruction {opcode},"):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x02",
        b"K\x01R.",
        b"h\x07.",
        b"t.",
        b"]]K\x01s.",
        b"}]K\x01s.",
        b"K\x01Q.",
        b"(X\x01\x00\x00\x00aK\x01tQ.",
        REBUILD + b")R.",
        REBUILD + b"}X\x05\x00\x00\x00_makeK\x01sb.",
        REBUILD + b"N}X\x05\x00\x00\x00_makeK\x01s\x86b.",
        b"ctorch\nFloatStorage\n)R.",
        b"X\xff\xff\xff\xffa.",
        b"\x80\xff.",
    ],
)
def test_broken_pickles(data):
    with pytest.raises(CheckpointError, match="`a.bin` holds a broken pickle"):
        read(data)


def test_nothing_can_be_set_on_a_function():
    before = repr(ALLOWED_GLOBALS)
    with pytest.raises(CheckpointError, match="sets attributes of what is not a dict"):
        read(REBUILD + b"N}X\x05\x00\x00\x00_makeK\x01s\x86b.")
    assert repr(ALLOWED_GLOBALS) == before


def text(word):
    return b"X" + len(word).to_bytes(4, "little") + word


TENSOR_STORAGE = (
    b"("
    + text(b"storage")
    + b"ctorch\nFloatStorage\n"
    + b"%s"
    + text(b"cpu")
    + b"K\x01tQ"
)
# 2 ** 60 tuples, if they are walked through: each holds the one before it twice.
DOUBLING = b")" + b"q\x00h\x00\x86" * 60
MANY = (
    b"](" + b"".join(b"](%sNe" % text(b"%05d" % n) for n in range(30_000)) + b"eq\x01"
)
WORK = {
    "a nested tuple as a key": (b"}" + DOUBLING + b"K\x01s.", "a key of type tuple"),
    "a deep tuple as a key": (b"})" + b"\x85" * 200_000 + b"K\x01s.", "type tuple"),
    "numbers that collide as keys": (
        b"}("
        + b"".join(
            b"\x8a\x09%sN" % ((n * (2**61 - 1)).to_bytes(9, "little")) for n in range(9)
        )
        + b"u.",
        "a key of type int",
    ),
    "a nested tuple as a storage's name": (TENSOR_STORAGE % DOUBLING + b".", "storage"),
    "dicts made of one list again and again": (
        MANY + b"ccollections\nOrderedDict\nh\x01\x85R" * 9 + b".",
        "more than 100000 items",
    ),
    "a dict of a nested tuple": (
        b"ccollections\nOrderedDict\n" + DOUBLING + b"\x85R.",
        "type tuple",
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_small_files_that_would_take_for_ever(name):
    data, message = WORK[name]
    with pytest.raises(CheckpointError, match=message):
        read(data)


def test_attributes_again_and_again_take_no_time():
    """Python would copy the same 30,000 attributes each time."""
    state = b"}(" + b"".join(text(b"a%05d" % n) + b"N" for n in range(30_000)) + b"u"
    build = b"h\x01b"
    data = state + b"q\x01ccollections\nOrderedDict\n)R" + build * 50_000 + b"."
    assert read(data) == {}


def test_an_ordered_dict_as_python_2_pickled_it():
    pair = b"](" + text(b"a") + b"K\x03e"
    assert read(b"ccollections\nOrderedDict\n](" + pair + b"e\x85R.") == {"a": 3}


HARMLESS = (
    Storage,
    TensorRecord,
    dict,
    list,
    tuple,
    str,
    int,
    float,
    bool,
    type(None),
    *map(type, ALLOWED_GLOBALS.values()),
)


@given(st.binary(max_size=60))
@example(REBUILD + b"(NNNNtR.")
def test_any_bytes_give_harmless_values_or_our_error(data):
    try:
        value = read(data)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(value, HARMLESS)


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


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({}, 59),
        ({}, 64),
        ({"offset": 4}, 60),
        ({"shape": (4, 4)}, 60),
        ({"strides": (5, 1)}, 60),
        ({"storage": STORAGE._replace(key="1")}, 60),
    ],
)
def test_a_record_that_reaches_beyond_its_storage(tmp_path, change, size):
    table = {"w": GOOD._replace(**change)}
    (tmp_path / "a.bin").write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match="numbers of `w` are not all there"):
        lazy_tensors(table, {"0": (100, size)}, tmp_path / "a.bin")


def test_a_record_is_read_from_its_place(tmp_path):
    path = tmp_path / "a.bin"
    numbers = np.arange(15, dtype="float32")
    path.write_bytes(b"x" * 100 + numbers.tobytes())
    tensor = lazy_tensors({"w": GOOD}, {"0": (100, 60)}, path)["w"]
    np.testing.assert_array_equal(tensor.read(), numbers[2:14].reshape(3, 4))


def test_a_view_of_more_numbers_than_the_file_has(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"x" * 100)
    table = {"w": GOOD._replace(shape=(2**40, 2**40), strides=(0, 0))}
    with pytest.raises(CheckpointError, match="`w`, of shape .1099511627776, "):
        lazy_tensors(table, {"0": (0, 60)}, tmp_path / "a.bin")
    many = {
        f"w{number}": GOOD._replace(shape=(1000, 10 + number), strides=(0, 0))
        for number in range(30)
    }
    with pytest.raises(CheckpointError, match="with `w1[0-9]`, of shape .1000, 2"):
        lazy_tensors(many, {"0": (0, 60)}, tmp_path / "a.bin")
    tied = dict.fromkeys(many, GOOD._replace(shape=(1000, 11), strides=(0, 0)))
    assert len(lazy_tensors(tied, {"0": (0, 60)}, tmp_path / "a.bin")) == 30
    axes = (1,) * 65
    with pytest.raises(CheckpointError, match="description of `w`"):
        check_table({"w": GOOD._replace(shape=axes, strides=axes)}, PATH)
