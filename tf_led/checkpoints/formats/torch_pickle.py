"""Reads PyTorch's pickled tables of tensors, and nothing else.

A pickle is a program for a machine with a stack. This is that machine, with no more
instructions and names than PyTorch's writers use. It calls nothing of Python's, keeps
no keys but text, and takes time and memory in proportion to the length of the pickle.
"""

import math
import pickletools
from typing import NamedTuple

import numpy as np

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor, numpy_dtype, read_raw
from tf_led.utils.host_memory import fresh_array


class Storage(NamedTuple):
    """A run of numbers in a PyTorch file: its key there, their dtype and count."""

    key: str
    dtype: str
    numel: int


class TensorRecord(NamedTuple):
    """A view of a storage; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


class _Function(NamedTuple):
    """Stands for a function or a class that a pickle may call."""

    name: str


class StorageType(NamedTuple):
    """Stands for torch.FloatStorage and its like, which only give the dtype."""

    dtype: str


_STORAGE_TYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_DICT, _TENSOR, _PARAMETER = "OrderedDict", "_rebuild_tensor_v2", "_rebuild_parameter"
# What a pickle may import; the machine knows what calling it means.
ALLOWED_GLOBALS = {
    f"collections.{_DICT}": _Function(_DICT),
    f"torch._utils.{_TENSOR}": _Function(_TENSOR),
    f"torch._utils.{_PARAMETER}": _Function(_PARAMETER),
    **{f"torch.{name}": StorageType(d) for name, d in _STORAGE_TYPES.items()},
}
_MAX_AXES = 64  # as many as NumPy has; PyTorch has no fixed limit
# The table of LED-large has 600 pairs and takes 100,000 bytes.
_MAX_PAIRS = 100_000
_MAX_LENGTH = 1 << 24
# Bytes that a tensor of a small file may have: a view can repeat its numbers.
_ALWAYS_ALLOWED = 1 << 20


class _Broken(Exception):
    """The pickle is not one that PyTorch's writers make."""


class _Machine:
    """Runs one pickle, in time proportional to the number of its instructions."""

    def __init__(self):
        self._pairs = 0  # put into dicts by calls, each of which can name all again
        self._stack, self._outer, self._memo = [], [], {}

    def run(self, name, argument):
        """Does one instruction.

        Args:
            name: str, one of `ALLOWED_OPCODES`, as pickletools calls it.
            argument: what pickletools read for it.

        Returns:
            What the pickle holds, in a tuple, at STOP; None at all others.
        """
        if name == "STOP":
            return (self._stack.pop(),)
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _ARGUMENTS:
            self._stack.append(argument)
        else:
            getattr(self, f"_{name.lower()}")(argument)
        return None

    def _proto(self, _):
        """The version; the instructions themselves show what is used."""

    def _mark(self, _):
        self._outer.append(self._stack)
        self._stack = []

    def _items(self):
        """Returns what was pushed since the last MARK."""
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _empty_list(self, _):
        self._stack.append([])

    def _empty_dict(self, _):
        self._stack.append({})

    def _tuple(self, _):
        items = tuple(self._items())
        self._stack.append(items)

    def _tuple1(self, _):
        self._last_as_tuple(1)

    def _tuple2(self, _):
        self._last_as_tuple(2)

    def _tuple3(self, _):
        self._last_as_tuple(3)

    def _last_as_tuple(self, count):
        if len(self._stack) < count:
            raise _Broken("it makes a tuple of nothing")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def _append(self, _):
        self._extend([self._stack.pop()])

    def _appends(self, _):
        self._extend(self._items())

    def _extend(self, items):
        if type(self._stack[-1]) is not list:
            raise _Broken("it appends to what is not a list")
        self._stack[-1].extend(items)

    def _setitem(self, _):
        value, key = self._stack.pop(), self._stack.pop()
        self._update([key, value])

    def _setitems(self, _):
        self._update(self._items())

    def _update(self, flat):
        if type(self._stack[-1]) is not dict or len(flat) % 2:
            raise _Broken("it sets items of what is not a dict")
        _put(self._stack[-1], zip(flat[::2], flat[1::2], strict=True))

    def _binput(self, number):
        self._memo[number] = self._stack[-1]

    _long_binput = _binput

    def _binget(self, number):
        self._stack.append(self._memo[number])

    _long_binget = _binget

    def _global(self, name):
        self._stack.append(ALLOWED_GLOBALS[name.replace(" ", ".", 1)])

    def _build(self, _):
        """Sets attributes, of which a state dict has some that say nothing here."""
        self._stack.pop()
        if type(self._stack[-1]) is not dict:
            raise _Broken("it sets attributes of what is not a dict")

    def _reduce(self, _):
        arguments, function = self._stack.pop(), self._stack.pop()
        if type(function) is not _Function or type(arguments) is not tuple:
            raise _Broken("it calls what is not a function")
        if function.name == _TENSOR:
            made = TensorRecord(*_at_least(4, arguments)[:4])
        elif function.name == _PARAMETER:
            made = _at_least(1, arguments)[0]
        else:
            made = self._make_dict(*arguments)
        self._stack.append(made)

    def _make_dict(self, pairs=()):
        """Python 2 gave the items of an OrderedDict as a list of lists."""
        self._pairs += len(pairs)
        if self._pairs > _MAX_PAIRS:
            raise _Broken(f"its OrderedDicts have more than {_MAX_PAIRS} items")
        made = {}
        _put(made, (_at_least(2, pair) for pair in pairs))
        return made

    def _binpersid(self, _):
        pid = self._stack.pop()
        if type(pid) is not tuple or len(pid) not in (5, 6):
            raise _Broken("it names a storage in an unknown way")
        # Old files add a sixth field, a window on the storage; None unless used.
        kind, storage_type, key, _, numel, *window = pid
        is_plain = type(kind) is str and kind == "storage" and window in ([], [None])
        is_typed = type(storage_type) is StorageType and type(key) is str
        if not is_plain or not is_typed:
            raise _Broken("it names a storage in an unknown way")
        self._stack.append(Storage(key, storage_type.dtype, numel))


def _put(table, pairs):
    for key, value in pairs:
        # The hash of nested tuples can take for ever; numbers can all collide.
        if type(key) is not str:
            kind = type(key).__name__
            raise _Broken(f"it has a key of type {kind}, not text")
        table[key] = value


def _at_least(count, items):
    if type(items) not in (tuple, list) or len(items) < count:
        raise _Broken("it calls a function with too little")
    return items


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_ARGUMENTS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"}
# What PyTorch's writers emit, by pickletools' names.
_OPCODES = """
    PROTO STOP MARK GLOBAL REDUCE BUILD BINPERSID TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST
    APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT BINGET LONG_BINGET
"""
ALLOWED_OPCODES = {*_OPCODES.split(), *_CONSTANTS, *_ARGUMENTS}


def read_pickle(file, source):
    """Reads the next pickle of a file.

    Args:
        file: a seekable binary file, placed where a pickle begins. It is left at the
            byte behind that pickle's end.
        source: str, the file's name for messages.

    Returns:
        What the pickle holds: dicts, lists, tuples, numbers, text and `TensorRecord`s.

    Raises:
        CheckpointError: if it is broken, or has an instruction or a name that plain
            tensors do not need; naming it.
    """
    start = file.tell()
    machine = _Machine()
    try:
        for opcode, argument, position in pickletools.genops(file):
            _check_instruction(opcode.name, argument, source)
            if position - start > _MAX_LENGTH:
                raise _Broken("it is longer than any table of weights")
            held = machine.run(opcode.name, argument)
    except CheckpointError:
        raise
    # A wrong byte leads to anything, here and in pickletools.
    except Exception as error:
        raise CheckpointError(
            f"`{source}` holds a broken pickle: {one_line(error)}"
        ) from error
    return held[0]


def _check_instruction(name, argument, source):
    if name == "GLOBAL":
        wanted = argument.replace(" ", ".", 1)
        if wanted not in ALLOWED_GLOBALS:
            raise CheckpointError(
                f"`{source}` asks for `{one_line(wanted)}`, which plain tensors do not "
                "need; nothing of it was run."
            )
    elif name not in ALLOWED_OPCODES:
        raise CheckpointError(
            f"`{source}` holds the pickle instruction {name}, which PyTorch's weight "
            "files do not use; nothing of it was run."
        )


def check_table(table, path):
    """Checks that an object is a table of tensors.

    Args:
        table: what a PyTorch file's pickle holds.
        path: Path of the file.

    Returns:
        `table`, a dict of `TensorRecord` by key.

    Raises:
        CheckpointError: naming the first entry that is not a tensor.
    """
    if not isinstance(table, dict) or not table:
        raise CheckpointError(f"`{path}` does not hold a table of tensors.")
    for key, record in table.items():
        if not isinstance(record, TensorRecord):
            raise CheckpointError(
                f"`{path}`: `{one_line(key)}` is not a tensor; a table of weights "
                "holds tensors only (of a training checkpoint, save the state dict)."
            )
        if not _is_well_formed(record):
            raise CheckpointError(
                f"`{path}`: the description of `{one_line(key)}` is broken."
            )
    return table


def lazy_tensors(table, places, path):
    """Ties each record to the bytes that it describes.

    Args:
        table: dict of `TensorRecord` by key, as `check_table` let it pass.
        places: dict of (start, size) by storage key: where in the file that storage's
            bytes begin, and how many they are.
        path: Path of the file.

    Returns:
        dict of `LazyTensor` by key.

    Raises:
        CheckpointError: if a record does not fit its storage.
    """
    _check_total(table, path)
    return {key: _lazy(key, record, places, path) for key, record in table.items()}


def _check_total(table, path):
    """Checks that the views hold no more numbers than the file; a stride may be 0."""
    left = max(path.stat().st_size, _ALWAYS_ALLOWED)
    seen = set()
    for key, record in table.items():
        # Tied weights are the same view under several names.
        view = (record.storage.key, *record[1:])
        if view in seen:
            continue
        seen.add(view)
        left -= math.prod(record.shape) * numpy_dtype(record.storage.dtype).itemsize
        if left < 0:
            raise CheckpointError(
                f"`{path}`: with `{one_line(key)}`, of shape {record.shape!s:.80}, its "
                "tensors have more numbers than the file; not all there."
            )


def _lazy(key, record, places, path):
    begin, span = _locate(key, record, places, path)

    def read(allocate=fresh_array):
        return _read(path, begin, span, record, allocate)

    place = (path, begin, record.shape, record.strides)
    return LazyTensor(key, record.shape, record.storage.dtype, path, read, place)


def _locate(key, record, places, path):
    """Returns where the tensor's bytes begin and how many numbers it spans."""
    storage, offset, shape, strides = record
    start, size = places.get(storage.key, (0, -1))
    itemsize = numpy_dtype(storage.dtype).itemsize
    last = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    span = 0 if 0 in shape else last + 1
    if storage.numel * itemsize != size or (offset + span) * itemsize > size:
        raise CheckpointError(
            f"`{path}` is truncated or corrupt: the numbers of `{one_line(key)}` are "
            "not all there."
        )
    return start + offset * itemsize, span


def _is_well_formed(record):
    storage, offset, shape, strides = record
    return (
        isinstance(storage, Storage)
        and isinstance(shape, tuple)
        and isinstance(strides, tuple)
        and len(shape) == len(strides) <= _MAX_AXES
        and all(
            type(n) is int and n >= 0 for n in (storage.numel, offset, *shape, *strides)
        )
    )


def _read(path, begin, span, record, allocate):
    dtype = numpy_dtype(record.storage.dtype)
    numbers = read_raw(path, begin, (span,), dtype, allocate)
    if record.strides == _dense_strides(record.shape):
        return numbers.reshape(record.shape)
    steps = tuple(step * dtype.itemsize for step in record.strides)
    return np.lib.stride_tricks.as_strided(numbers, record.shape, steps)


def _dense_strides(shape):
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
