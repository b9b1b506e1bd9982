"""From the records in a PyTorch pickle to tensors that can be read from the file."""

import math

import numpy as np

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.raw import read_raw
from tf_led.checkpoints.tensors import LazyTensor, numpy_dtype
from tf_led.checkpoints.torch_vocabulary import Storage, TensorRecord
from tf_led.ops.host_memory import fresh_array


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
