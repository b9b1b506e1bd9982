"""pytorch_model.bin without PyTorch: the zip archives that torch.save writes.

An archive holds a pickle (`<name>/data.pkl`) that describes the tensors, and their
numbers (`<name>/data/<key>`), stored without compression.
"""

import importlib.util
import io
import itertools
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tf_led.checkpoints.disk.atomic import errors_of_disk
from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.formats.lazy_tensor import numpy_dtype
from tf_led.checkpoints.formats.torch_pickle import (
    check_table,
    lazy_tensors,
    read_pickle,
)

# The first pickle, a number, as every such file begins.
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PROTOCOL = 1001


def read_stream(file, path):
    """Reads a legacy file's table of tensors.

    Args:
        file: the open binary file, placed behind `MAGIC`.
        path: Path of it.

    Returns:
        dict of `LazyTensor` by key.

    Raises:
        CheckpointError: if the file is truncated, corrupt, asks for anything but
            tensors, or was written on a big-endian machine.
    """

    def next_pickle():
        return read_pickle(file, str(path))

    protocol, system = next_pickle(), next_pickle()
    if type(protocol) is not int or protocol != _PROTOCOL or type(system) is not dict:
        raise CheckpointError(f"`{path}` is of an unknown version of PyTorch's format.")
    if not system.get("little_endian", True):
        raise CheckpointError(f"`{path}` was written on a big-endian machine.")
    table, order = check_table(next_pickle(), path), next_pickle()
    return lazy_tensors(table, _storage_places(file, path, table, order), path)


def _storage_places(file, path, table, order):
    """Walks over the storages: each is a count (int64), then its numbers."""
    dtypes = {record.storage.key: record.storage.dtype for record in table.values()}
    is_listed = type(order) is list and all(type(key) is str for key in order)
    if not is_listed or not dtypes.keys() <= {*order}:
        raise CheckpointError(f"`{path}` does not list the storages of its tensors.")
    places, start, end = {}, file.tell(), path.stat().st_size
    for key in order:
        if key not in dtypes:
            raise CheckpointError(f"`{path}` holds a storage that no tensor uses.")
        file.seek(start)
        count = int.from_bytes(file.read(8), "little")
        size = count * numpy_dtype(dtypes[key]).itemsize
        places[key] = (start + 8, size)
        start += 8 + size
        if start > end:
            raise CheckpointError(f"`{path}` is truncated: its numbers end too early.")
    return places


def check_torch():
    """Checks that torch is installed.

    Raises:
        ValueError: saying what to do instead.

    Example:
        >>> from tf_led.checkpoints.formats.pytorch_bin import check_torch
        >>> check_torch()
    """
    if importlib.util.find_spec("torch") is None:
        raise ValueError(
            "pytorch_model.bin (`safe_serialization=False`) needs PyTorch, which is "
            "not installed: `pip install torch`, or save as safetensors, which "
            "PyTorch's LED opens as well."
        )


def write_torch(path, tensors):
    """Writes one file of weights as `torch.save` does.

    Args:
        path: str or Path, where to.
        tensors: iterable of `LazyTensor`; all are in memory at once.
    """
    import torch

    table = {tensor.name: _to_torch(tensor) for tensor in tensors}
    with errors_of_disk(path):
        torch.save(table, path)


def _to_torch(tensor):
    import torch

    array = np.array(tensor.read(), order="C")  # torch wants one it may write to
    if tensor.dtype == "bfloat16":  # which torch does not take from NumPy
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


_LOCAL_HEADER = 30  # bytes before an entry's name, in a zip file
_CHUNK = 1 << 24


def read_torch(path):
    """Opens what torch.save wrote; checks it throughout, keeps no tensor.

    Args:
        path: str or Path, one file: a zip archive (torch 1.6 or later) or the older
            stream.

    Returns:
        dict of `LazyTensor` by key.

    Raises:
        CheckpointError: if the file is truncated or corrupt, asks for anything but
            tensors, or holds anything but a table of them.
    """
    path = Path(path)
    with open(path, "rb") as file:
        start = file.read(len(MAGIC))
        if start == MAGIC:
            return read_stream(file, path)
        if not start.startswith(b"PK"):
            raise CheckpointError(
                f"`{path}` is not a PyTorch file: it starts with {start[:8]!r}."
            )
        return _read_archive(file, path)


def _read_archive(file, path):
    entries = _entries(file, path)
    if _read(file, path, entries.get("byteorder")) not in (b"", b"little"):
        raise CheckpointError(f"`{path}` was written on a big-endian machine.")
    data = io.BytesIO(_read(file, path, entries["data.pkl"]))
    table = check_table(read_pickle(data, str(path)), path)
    places = {
        name.removeprefix("data/"): (_start(file, path, entry), entry.file_size)
        for name, entry in entries.items()
        if name.startswith("data/")
    }
    _check_overlap(file, path, entries)
    tensors = lazy_tensors(table, places, path)
    for entry in entries.values():
        _check_sum(file, path, entry)
    return tensors


def _entries(file, path):
    """Returns the archive's directory: entry by name, without the folder's name."""
    try:
        listed = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"`{path}` is not a whole PyTorch file (truncated or corrupt): "
            f"{one_line(error)}"
        ) from error
    entries = {entry.filename.partition("/")[2]: entry for entry in listed}
    if "data.pkl" not in entries:
        raise CheckpointError(
            f"`{path}` is a zip archive but not one of torch.save: it has no data.pkl."
        )
    for entry in listed:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise CheckpointError(
                f"`{path}`: `{one_line(entry.filename)}` is compressed or encrypted, "
                "which torch.save never does."
            )
    return entries


def _start(file, path, entry):
    """Where an entry's bytes begin, by its own header, which says it last."""
    if entry.header_offset < 0:  # zipfile's sum for a file that has lost its start
        raise _corrupt(path, entry)
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER)
    name_len = int.from_bytes(header[26:28], "little")
    extra_len = int.from_bytes(header[28:30], "little")
    start = entry.header_offset + _LOCAL_HEADER + name_len + extra_len
    if header[:4] != b"PK\x03\x04" or start + entry.file_size > path.stat().st_size:
        raise _corrupt(path, entry)
    return start


def _check_overlap(file, path, entries):
    """Checks that no two entries have bytes in common: each is read to its end."""
    spans = [(_start(file, path, e), e.file_size, e) for e in entries.values()]
    spans.sort(key=lambda span: span[:2])
    for (start, size, _), (following, _, entry) in itertools.pairwise(spans):
        if start + size > following:
            raise _corrupt(path, entry)


def _read(file, path, entry):
    """Reads a small entry; nothing for one that is not there."""
    if entry is None:
        return b""
    file.seek(_start(file, path, entry))
    return file.read(entry.file_size)


def _check_sum(file, path, entry):
    """Compares an entry with the checksum that the archive holds for it."""
    file.seek(_start(file, path, entry))
    found, left = 0, entry.file_size
    while left:
        chunk = file.read(min(left, _CHUNK))
        found, left = zlib.crc32(chunk, found), left - len(chunk)
    # torch.serialization.set_crc32_options(False) leaves all sums 0.
    if entry.CRC not in (0, found):
        raise _corrupt(path, entry)


def _corrupt(path, entry):
    name = one_line(entry.filename)
    return CheckpointError(f"`{path}` is truncated or corrupt in its part `{name}`.")
