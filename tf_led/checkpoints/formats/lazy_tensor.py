"""A tensor of a file that is read when it is needed."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import ml_dtypes
import numpy as np

from tf_led.checkpoints.errors import CheckpointError
from tf_led.utils.host_memory import fresh_array


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


@dataclass(frozen=True)
class LazyTensor:
    """A tensor of a weight file that is read only when it is needed.

    Args:
        name: the key under which the file holds it.
        shape: tuple of ints.
        dtype: the dtype's name as NumPy and ml_dtypes know it; an unknown one is kept
            as the file spells it.
        file: the file that holds it, for messages.
        read: returns a NumPy array of `shape` and `dtype`. Those of `open_weights` take
            `allocate`, as `read_raw` does.
        place: two tensors of one place hold the same numbers (tied weights in a
            PyTorch file); None where the format cannot tell.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    file: Path
    read: Callable[..., np.ndarray]
    place: Hashable = None

    @property
    def nbytes(self):
        """Python int: the size of the numbers once read."""
        return math.prod(self.shape) * numpy_dtype(self.dtype).itemsize


def numpy_dtype(name):
    """Returns NumPy's dtype of that name, bfloat16 included.

    Args:
        name: a dtype's name, such as "float32".

    Returns:
        `numpy.dtype`.

    Raises:
        TypeError: if neither NumPy nor ml_dtypes has that dtype.
    """
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def widest_dtype(dtypes):
    """Returns the dtype that holds the numbers of all, as a config.json names it.

    Args:
        dtypes: iterable of str, names of dtypes; at least one.

    Returns:
        str.

    Example:
        >>> from tf_led.checkpoints.formats.lazy_tensor import widest_dtype
        >>> widest_dtype(["float16", "float16"]), widest_dtype(["float16", "bfloat16"])
        ('float16', 'float32')
    """
    names = {str(name) for name in dtypes}
    if len(names) == 1:
        return names.pop()
    return max(names & {"float64"}, default="float32")


def watch_finite(tensors):
    """Has each tensor checked for NaN and infinity when it is read.

    Args:
        tensors: dict of `LazyTensor`.

    Returns:
        (dict of `LazyTensor` under the same keys, set of str): into the set each one
        that holds NaN or infinity puts its name when it is read.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from tf_led.checkpoints.formats.lazy_tensor import watch_finite
        >>> from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
        >>> read = lambda: np.array([1.0, np.inf])
        >>> tensor = LazyTensor("gain", (2,), "float64", Path("here"), read)
        >>> watched, found = watch_finite({"gain": tensor})
        >>> _ = watched["gain"].read()
        >>> found
        {'gain'}
    """
    found = set()
    return {key: _watch(tensor, found) for key, tensor in tensors.items()}, found


def _watch(tensor, found):
    def read(*args, **kwargs):
        array = tensor.read(*args, **kwargs)
        if not np.isfinite(array).all():
            found.add(tensor.name)
        return array

    return replace(tensor, read=read)
