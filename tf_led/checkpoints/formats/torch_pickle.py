"""Unpickles PyTorch's tables of tensors and nothing else.

A pickle is a program. Before it runs, each of its instructions is compared with the
short list that PyTorch's writer uses, and each name that it asks for with the names of
`torch_vocabulary`; while it runs, it can call only the stand-ins there.
"""

import collections
import io
import math
import pickle
import pickletools
from typing import NamedTuple

import numpy as np

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor, numpy_dtype, read_raw
from tf_led.utils.host_memory import fresh_array

# What PyTorch's writers emit, by pickletools' names.
_OPCODES = """
    PROTO STOP MARK GLOBAL REDUCE BUILD BINPERSID NONE NEWTRUE NEWFALSE BININT BININT1
    BININT2 LONG1 BINFLOAT BINUNICODE EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST
    APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT BINGET LONG_BINGET
"""
ALLOWED_OPCODES = frozenset(_OPCODES.split())


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


class _StandIn:
    """Called in the place of one of PyTorch's functions; nothing can be set on it."""

    __slots__ = ("_make",)

    def __init__(self, make):
        object.__setattr__(self, "_make", make)

    def __call__(self, *arguments):
        return self._make(*arguments)

    def __setattr__(self, name, value):
        raise pickle.UnpicklingError(f"it sets `{name}` on a function")


class StorageType(NamedTuple):
    """Stands for torch.FloatStorage and its like, which only give the dtype."""

    dtype: str


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return TensorRecord(storage, offset, shape, strides)


def _rebuild_parameter(record, *_):
    return record


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
ALLOWED_GLOBALS = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": _StandIn(_rebuild_tensor),
    "torch._utils._rebuild_parameter": _StandIn(_rebuild_parameter),
    **{f"torch.{name}": StorageType(d) for name, d in _STORAGE_TYPES.items()},
}


# A tensor takes five at most, LED-large has 600 tensors. As the key of a dict, a tuple
# of tuples of tuples, some 100,000 deep, makes Python itself crash.
_MAX_TUPLES = 20_000


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return ALLOWED_GLOBALS[f"{module}.{name}"]  # `take_pickle` has looked already

    def persistent_load(self, pid):
        # Old files add a sixth field, a window on the storage; None unless used.
        kind, storage_type, key, _, numel, *window = pid
        is_plain = kind == "storage" and window in ([], [None])
        if not is_plain or not isinstance(storage_type, StorageType):
            raise pickle.UnpicklingError("it names a storage in an unknown way")
        return Storage(str(key), storage_type.dtype, numel)


def take_pickle(file, source):
    """Cuts the next pickle out of a file, refusing it if it does more than it may.

    Args:
        file: a seekable binary file, placed where a pickle begins. It is left at the
            byte behind that pickle's end.
        source: str, the file's name for messages.

    Returns:
        bytes of the pickle; nothing of it has run.

    Raises:
        CheckpointError: naming the first global or instruction that is not allowed.
    """
    start, tuples = file.tell(), 0
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            _check_instruction(opcode.name, argument, count, source)
            tuples += "TUPLE" in opcode.name
    except CheckpointError:
        raise
    except Exception as error:  # pickletools raises whatever a wrong byte leads to
        raise _broken(source, error) from error
    if tuples > _MAX_TUPLES:
        raise CheckpointError(
            f"`{source}` holds {tuples} tuples, too many for weights."
        )
    end = file.tell()
    file.seek(start)
    return file.read(end - start)


def _check_instruction(name, argument, count, source):
    if name == "GLOBAL":
        asked = argument.replace(" ", ".", 1)
        if asked not in ALLOWED_GLOBALS:
            raise CheckpointError(
                f"`{source}` asks for `{one_line(asked)}`, which plain tensors do not "
                "need; nothing of it was run."
            )
    elif name not in ALLOWED_OPCODES:
        raise CheckpointError(
            f"`{source}` holds the pickle instruction {name}, which PyTorch's weight "
            "files do not use; nothing of it was run."
        )
    elif name == "LONG_BINPUT" and argument > count:  # it would reserve gigabytes
        raise CheckpointError(f"`{source}` holds a pickle with a false memo number.")


def load_pickle(data, source):
    """Runs a pickle that `take_pickle` let pass.

    Args:
        data: bytes of one pickle.
        source: str, the file's name for messages.

    Returns:
        What it holds: dicts, lists, tuples, numbers, text and `TensorRecord`s.

    Raises:
        CheckpointError: if it is inconsistent.
    """
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # a broken pickle can raise nearly anything
        raise _broken(source, error) from error


def _broken(source, error):
    return CheckpointError(f"`{source}` holds a broken pickle: {one_line(error)}")


def check_table(table, path):
    """Refuses what is not a table of tensors.

    Args:
        table: what a PyTorch file's pickle holds.
        path: Path of the file.

    Returns:
        `table`, a dict of `TensorRecord` by key.

    Raises:
        CheckpointError: naming the first entry that is no tensor.
    """
    if not isinstance(table, dict) or not table:
        raise CheckpointError(f"`{path}` does not hold a table of tensors.")
    table = dict(dict.items(table))  # past any attribute that the pickle has set
    for key, record in table.items():
        if not isinstance(key, str) or not isinstance(record, TensorRecord):
            entry = one_line(key) if isinstance(key, str) else type(key).__name__
            raise CheckpointError(
                f"`{path}`: `{entry}` is no tensor; a table of weights holds tensors "
                "only (of a training checkpoint, save the state dict)."
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
    return {key: _lazy(key, record, places, path) for key, record in table.items()}


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
        and len(shape) == len(strides)
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
