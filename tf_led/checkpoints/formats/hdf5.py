"""tf_model.h5: h5py says where each array lies, we read and check the arrays."""

import errno
import os
import shutil
from pathlib import Path

import h5py
import numpy as np

from tf_led.checkpoints.disk.atomic import errors_of_disk
from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor, numpy_dtype, read_raw
from tf_led.utils.host_memory import fresh_array

# LED-large has 600 datasets in 500 groups, at most 8 deep.
_MAX_OBJECTS = 100_000
_MAX_DEPTH = 32
# Of a model saved whole: the optimizer's slots, named as the weights are.
_NOT_WEIGHTS = ("optimizer_weights",)
_BFLOAT16 = (15, 7, 8, 0, 7)  # where sign, exponent and mantissa lie, h5py's order


class NotPlainWeights(Exception):
    """The file has something that a table of weights does not need."""


def read_table(path):
    """Lists a file's datasets.

    Args:
        path: str, an HDF5 file.

    Returns:
        list of [name, shape, dtype, offset]: the dataset's path in the file, a list of
        ints, NumPy's name of the dtype with its byte order ("<f4", or "bfloat16"), and
        the byte of the file where its numbers begin (None if it has none).

    Raises:
        NotPlainWeights: on links, numbers elsewhere, compression. Damaged files raise
            whatever h5py raises.
    """
    with h5py.File(path, "r", locking=False) as file:
        rows, seen = [], set()
        for name in file:
            if name not in _NOT_WEIGHTS:
                _walk(file, name, name, seen, rows)
        return rows


def _walk(parent, name, path, seen, rows):
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise NotPlainWeights(f"`{path}` is a link ({type(link).__name__})")
    item = parent[name]
    address = h5py.h5o.get_info(item.id).addr
    if address in seen:
        raise NotPlainWeights(f"`{path}` is there under another name too")
    seen.add(address)
    if len(seen) > _MAX_OBJECTS or path.count("/") > _MAX_DEPTH:
        raise NotPlainWeights("it holds too many objects, or too deep ones")
    if isinstance(item, h5py.Dataset):
        rows.append([path, list(item.shape or ()), *_describe(item, path)])
    elif isinstance(item, h5py.Group):
        for inner in item:
            _walk(item, inner, f"{path}/{inner}", seen, rows)


def _describe(dataset, path):
    """Returns the dtype and where the numbers begin."""
    properties = dataset.id.get_create_plist()
    if properties.get_external_count():
        raise NotPlainWeights(f"the numbers of `{path}` lie in another file")
    layout = properties.get_layout()
    if layout == h5py.h5d.VIRTUAL:
        raise NotPlainWeights(f"`{path}` is a virtual dataset, made up of other files")
    if layout != h5py.h5d.CONTIGUOUS:
        raise NotPlainWeights(f"`{path}` is compressed or in chunks")
    return _dtype(dataset, path), dataset.id.get_offset()


def _dtype(dataset, path):
    kind = dataset.id.get_type()
    is_float = isinstance(kind, h5py.h5t.TypeFloatID)
    if is_float and kind.get_fields() == _BFLOAT16 and kind.get_ebias() == 127:
        return "bfloat16"
    if isinstance(kind, h5py.h5t.TypeOpaqueID) and kind.get_size() == 2:
        return "bfloat16"  # as h5py stores NumPy's
    dtype = dataset.dtype
    if dtype.kind not in "fiub" or dtype.itemsize != kind.get_size():
        raise NotPlainWeights(
            f"`{path}` holds {kind.__class__.__name__}, no plain numbers"
        )
    return dtype.str


# HDF5 takes no longer attribute; lists of names go on in a second one.
_ATTRIBUTE_LIMIT = 64512


def write_h5(path, tensors):
    """Writes one tf_model.h5, with one tensor in memory at a time.

    Args:
        path: str or Path, where to.
        tensors: iterable of `LazyTensor` named "layer/weight", the weight as Keras 2
            names it; `names.tensorflow.rename_for_h5` gives such names.
    """
    layers = {}
    for tensor in tensors:
        layer, _, weight = tensor.name.partition("/")
        layers.setdefault(layer, {})[weight] = tensor
    _check_free_space(path, layers)
    with errors_of_disk(path), h5py.File(path, "w") as file:
        file.attrs["backend"] = "tensorflow"
        file.attrs["keras_version"] = "2.15.0"
        _write_names(file, "layer_names", [*layers])
        for layer, weights in layers.items():
            group = file.create_group(layer)
            _write_names(group, "weight_names", [*weights])
            for weight, tensor in weights.items():
                group[weight] = _without_bfloat16(tensor.read())
        _write_names(file.create_group("top_level_model_weights"), "weight_names", [])


_BYTES_AROUND_TENSOR = 1024  # of HDF5's own, at least: names, shapes, places


def _check_free_space(path, layers):
    """Looks before writing: HDF5 tells of a full disk once for every open object."""
    tensors = [tensor for weights in layers.values() for tensor in weights.values()]
    size = sum(_stored_bytes(tensor) + _BYTES_AROUND_TENSOR for tensor in tensors)
    if shutil.disk_usage(Path(path).parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _stored_bytes(tensor):
    return tensor.nbytes * (2 if tensor.dtype == "bfloat16" else 1)


def _without_bfloat16(array):
    # HDF5 has no bfloat16; every one of its numbers is a float32.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def _write_names(group, attribute, listed):
    """Writes a list of names as Keras 2 does: in one attribute, or numbered parts."""
    encoded = np.array([name.encode() for name in listed], dtype="S")
    if encoded.nbytes <= _ATTRIBUTE_LIMIT:
        group.attrs[attribute] = encoded if listed else np.array([], dtype="S1")
        return
    for number, part in enumerate(_parts(encoded)):
        group.attrs[f"{attribute}{number}"] = part


def _parts(encoded):
    count = -(-encoded.nbytes // _ATTRIBUTE_LIMIT)
    return np.array_split(encoded, count + 1)


_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_h5(path):
    """Opens an HDF5 file of Keras 2's; its structure is checked, no number is read.

    The weights are the datasets themselves: the lists of names that Keras wrote beside
    them, in one attribute or in several, add nothing.

    Args:
        path: str or Path, one file.

    Returns:
        dict of `LazyTensor` by the dataset's path in the file.

    Raises:
        CheckpointError: if the file is truncated or corrupt, leads out of itself, or
            holds compressed numbers.
    """
    path = Path(path)
    _check_signature(path)
    try:
        rows = read_table(str(path))
    except NotPlainWeights as error:
        raise CheckpointError(
            f"`{path}`: {one_line(error)}, which a file of weights does not need."
        ) from error
    except Exception as error:  # h5py raises whatever a wrong byte leads to
        raise CheckpointError(
            f"`{path}` is not a whole HDF5 file (truncated or corrupt): "
            f"{one_line(error)}"
        ) from error
    return {row[0]: _lazy(*row, path) for row in rows}


def _check_signature(path):
    with open(path, "rb") as file:
        start = file.read(len(_SIGNATURE))
    if start != _SIGNATURE:
        raise CheckpointError(f"`{path}` is not an HDF5 file: it starts with {start}.")


def _lazy(name, shape, dtype, offset, path):
    shape, stored = tuple(shape), numpy_dtype(dtype)

    def read(allocate=fresh_array):
        return read_raw(path, offset, shape, stored, allocate)

    tensor = LazyTensor(name, shape, stored.name, path, read)
    if tensor.nbytes and (offset is None or not _fits(path, offset, tensor.nbytes)):
        raise CheckpointError(
            f"`{path}` is truncated or corrupt: the numbers of `{one_line(name)}` are "
            "not all there."
        )
    return tensor


def _fits(path, offset, size):
    return 0 < offset <= path.stat().st_size - size
