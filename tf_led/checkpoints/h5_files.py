"""tf_model.h5: HDF5 tells what lies where, the numbers are read past it."""

from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.h5_table import Refused, read_table
from tf_led.checkpoints.raw import read_raw
from tf_led.checkpoints.tensors import LazyTensor, numpy_dtype
from tf_led.ops.host_memory import fresh_array

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_h5(path):
    """Opens an HDF5 file of Keras 2's; its structure is checked, no number is read.

    Which weights there are is told from the datasets themselves: the lists of names
    that Keras wrote beside them, in one attribute or in several, say nothing more.

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
    except Refused as error:
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
