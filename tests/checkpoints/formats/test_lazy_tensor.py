"""Numbers read from a place in a file, whatever their kind and order."""

import ml_dtypes
import numpy as np
import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.lazy_tensor import read_raw


@pytest.fixture
def write(tmp_path):
    """Writes an array behind 13 other bytes, and some more behind it."""

    def write(array):
        path = tmp_path / "numbers"
        path.write_bytes(b"x" * 13 + array.tobytes() + b"y" * 7)
        return path

    return write


@pytest.mark.parametrize(
    "dtype", ["<f4", ">f4", "<f2", ">f8", ">i8", "u1", "?", ml_dtypes.bfloat16]
)
def test_any_kind_in_any_order(write, dtype):
    dtype = np.dtype(dtype)
    array = (np.arange(35).reshape(5, 7) - 11).astype(dtype)
    found = read_raw(write(array), 13, (5, 7), dtype)
    assert found.dtype == dtype.newbyteorder("=") and found.dtype.isnative
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_one_number_or_none(write, shape):
    array = np.full(shape, 5, "float32")
    found = read_raw(write(array), 13, shape, array.dtype)
    assert found.shape == shape and np.all(found == 5)


def test_the_memory_is_the_callers(write):
    memory = np.empty((5, 7), "float32")
    array = np.arange(35, dtype="float32").reshape(5, 7)
    found = read_raw(write(array), 13, (5, 7), array.dtype, lambda *_: memory)
    assert found is memory
    np.testing.assert_array_equal(memory, array)


def test_a_file_that_ends_too_early_is_named(write):
    path = write(np.zeros(3, "float32"))
    with pytest.raises(CheckpointError, match="numbers` has become shorter"):
        read_raw(path, 13, (5,), np.dtype("float32"))
