"""Numbers straight from a place in a file into memory that a tensor can share."""

import numpy as np

from tf_led.checkpoints.errors import CheckpointError
from tf_led.ops.host_memory import fresh_array


def read_raw(path, start, shape, dtype, allocate=fresh_array):
    """Reads a run of numbers.

    Args:
        path: Path of the file.
        start: int, the byte at which they begin.
        shape: tuple of ints.
        dtype: `numpy.dtype` in the file, of either byte order.
        allocate: takes shape and dtype, returns the array to read into.

    Returns:
        Contiguous array in this machine's byte order.

    Raises:
        CheckpointError: if the file ends before they do.
    """
    array = allocate(shape, dtype)
    if array.nbytes:
        with open(path, "rb") as file:
            file.seek(start)
            got = file.readinto(array.reshape(-1).view(np.uint8).data)
        if got != array.nbytes:
            raise CheckpointError(f"`{path}` has become shorter while it was read.")
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))
