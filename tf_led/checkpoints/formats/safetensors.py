"""Weights as safetensors: read tensor by tensor, written tensor by tensor."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor, numpy_dtype, read_raw
from tf_led.utils.host_memory import fresh_array

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_CODES = {name: code for code, name in _DTYPES.items()}


def read_safetensors(path):
    """Opens a safetensors file; its header is checked, no tensor is read.

    Args:
        path: str or Path, one file.

    Returns:
        dict of `LazyTensor` by key, in the order in which they lie in the file.

    Raises:
        CheckpointError: if the file is truncated or its header does not fit it.
    """
    path = Path(path)
    try:
        # Not by memory map: each page once looked at would count as memory used.
        with safe_open(path, framework="np", backend="pread") as file:
            views = {key: file.get_slice(key) for key in file.offset_keys()}
            return _lazy_tensors(views, path)
    except (SafetensorError, RuntimeError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"`{path}` is not a whole safetensors file (truncated or corrupt): "
            f"{one_line(error)}"
        ) from error


def _lazy_tensors(views, path):
    """The library has checked the header: here only to find where the bytes are.

    Reading them ourselves, into memory that a tensor can share, saves two copies.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {key: _lazy(key, views[key], header[key], 8 + length, path) for key in views}


def _lazy(key, view, entry, start, path):
    code, shape = view.get_dtype(), tuple(view.get_shape())
    dtype = _DTYPES.get(code, code)
    begin, end = entry["data_offsets"]

    def read(allocate=fresh_array):
        return read_raw(path, start + begin, shape, numpy_dtype(dtype), allocate)

    tensor = LazyTensor(key, shape, dtype, path, read)
    if code in _DTYPES and end - begin != tensor.nbytes:
        raise ValueError(f"{key} is there twice")
    return tensor


def write_safetensors(path, tensors):
    """Writes one safetensors file, with one tensor in memory at a time.

    The safetensors library has a writer of its own, which wants all tensors in memory
    at once: with the kernels transposed, a second copy of the model.

    Args:
        path: str or Path, where to.
        tensors: iterable of `LazyTensor` with different names.
    """
    # Wide numbers first keeps every tensor aligned.
    ordered = sorted(tensors, key=lambda t: (-numpy_dtype(t.dtype).itemsize, t.name))
    with open(path, "wb") as file:
        file.write(_header(ordered))
        for tensor in ordered:
            array = np.ascontiguousarray(tensor.read()).reshape(-1)
            # bfloat16 has no buffer interface of its own: hand over the bytes.
            file.write(array.view(np.uint8).data)


def _header(tensors):
    """The length, then JSON: a table of where each tensor begins and ends."""
    table, end = {"__metadata__": {"format": "pt"}}, 0
    for tensor in tensors:
        start, end = end, end + tensor.nbytes
        table[tensor.name] = {
            "dtype": _CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
