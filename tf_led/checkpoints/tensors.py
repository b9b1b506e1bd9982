"""A tensor that still lies in its file: what is known of it, and how to read it."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np

# The dtypes that weights come in; anything else is a quantised or foreign file.
FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class LazyTensor:
    """A tensor of a weight file that is read only when asked for.

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
