"""The stream that torch.save wrote before torch 1.6: five pickles, then the numbers."""

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.safe_pickle import load_pickle, take_pickle
from tf_led.checkpoints.tensors import numpy_dtype
from tf_led.checkpoints.torch_storage import check_table, lazy_tensors

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
        return load_pickle(take_pickle(file, str(path)), str(path))

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
