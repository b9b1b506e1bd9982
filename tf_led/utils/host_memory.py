"""Arrays and tensors on the host that share their memory: large weights, no copies."""

import contextlib
import math
import mmap

import numpy as np

_ALIGNMENT = 64  # bytes; TensorFlow's kernels require it
_OWN_PAGES_FROM = 1 << 16  # bytes; below it, a copy costs nothing
# Python's default is memory that a fork would share, which also has no huge pages; with
# these flags, new memory costs a fifth of the time.
_PRIVATE = (
    {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANON} if hasattr(mmap, "MAP_PRIVATE") else {}
)


def fresh_array(shape, dtype):
    """Makes an array of zeros whose pages take up memory only once they are written.

    Large ones lie in pages of their own, which go back to the system when the last
    array or tensor that uses them is gone.

    Args:
        shape: tuple of ints.
        dtype: `numpy.dtype`, ml_dtypes' bfloat16 included.

    Returns:
        Array of zeros, writable and contiguous.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < _OWN_PAGES_FROM:
        return np.zeros(shape, dtype)
    pages = mmap.mmap(-1, size, **_PRIVATE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype).reshape(shape)


class Scratch:
    """Memory for one array after another: new pages cost more than reading a file."""

    def __init__(self):
        self._bytes = np.empty(0, np.uint8)

    def __call__(self, shape, dtype):
        """Makes an array, as `fresh_array`, in the place of the one made before it."""
        size = math.prod(shape) * dtype.itemsize
        if size > self._bytes.nbytes:
            self._bytes = np.empty(0, np.uint8)  # frees the old before the new is made
            self._bytes = fresh_array((size,), np.dtype(np.uint8))
        return self._bytes[:size].view(dtype).reshape(shape)


def share_array(array):
    """Turns an array into a tensor, in the same memory where that is possible.

    Args:
        array: array that nobody writes to any more.

    Returns:
        Tensor on the CPU.
    """
    import tensorflow as tf  # what reads files needs none

    is_fit = array.flags.c_contiguous and array.flags.writeable
    if not is_fit or array.nbytes < _OWN_PAGES_FROM or array.ctypes.data % _ALIGNMENT:
        return tf.convert_to_tensor(array)
    if array.dtype.kind in "fiu":
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    # NumPy's DLPack does not support bfloat16: its bits travel as integers.
    bits = share_array(array.view(f"u{array.dtype.itemsize}"))
    return tf.bitcast(bits, tf.as_dtype(array.dtype))


def make_contiguous(array, dtype):
    """Copies an array into memory that `share_array` can share, unless it is there.

    Args:
        array: array, of any strides.
        dtype: `numpy.dtype` to cast to.

    Returns:
        Contiguous array of that dtype; `array` itself if nothing has to be done.
    """
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable:
        return array
    contiguous = fresh_array(array.shape, dtype)
    if array.ndim == 2 and array.strides[0] < array.strides[1]:
        _copy_transposed(array, contiguous)
    else:
        contiguous[...] = array
    return contiguous


def _copy_transposed(array, contiguous):
    """A cache line of each row at a time: five times as fast as all at once."""
    width = _ALIGNMENT // contiguous.itemsize
    for start in range(0, array.shape[1], width):
        contiguous[:, start : start + width] = array[:, start : start + width]
