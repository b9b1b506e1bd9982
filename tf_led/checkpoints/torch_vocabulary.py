"""The few names and instructions that a pickle of tensors consists of.

PyTorch's functions and storage types are stood in for by records: calling them reads no
file and makes no tensor.
"""

import collections
import pickle
from typing import NamedTuple

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
