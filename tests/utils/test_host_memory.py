import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from tf_led.utils.host_memory import Scratch, fresh_array, make_contiguous, share_array

F4 = np.dtype("float32")
LARGE = (131, 257)  # more than a page's worth, and no round number of any


@pytest.mark.parametrize("shape", [(), (0, 3), (5, 7), LARGE])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_a_tensor_of_any_array(shape, dtype):
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    array = fresh_array(shape, kind)
    assert array.shape == shape and array.dtype == kind and not np.any(array)
    array[...] = np.random.default_rng(3).normal(size=shape)
    tensor = share_array(array)
    assert tensor.dtype == dtype and tensor.shape == shape
    np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_large_arrays_share_their_memory(dtype):
    array = fresh_array(LARGE, np.dtype(getattr(ml_dtypes, dtype, dtype)))
    tensor = share_array(array)
    array[100, 200] = 3
    assert float(tensor[100, 200]) == 3


def test_memory_lives_as_long_as_a_variable_needs_it():
    array = fresh_array(LARGE, F4)
    array[...] = 5
    variable = tf.Variable(share_array(array))
    del array
    variable.assign_add(tf.ones(LARGE))
    assert np.all(variable.numpy() == 6)


def test_what_cannot_be_shared_is_copied():
    odd = np.zeros(131 * 257 + 1, F4)[1:]  # off by four bytes
    read_only = np.broadcast_to(np.float32(2), LARGE)
    for array in (odd, read_only, np.ones(LARGE, F4).T):
        np.testing.assert_array_equal(share_array(array), array)


@pytest.mark.parametrize("shape", [(5, 7), (257, 131), (1, 33), (33, 1), (4,), ()])
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_settling(shape, dtype):
    array = np.random.default_rng(3).normal(size=shape).astype("float32").T
    contiguous = make_contiguous(array, np.dtype(dtype))
    assert contiguous.flags.c_contiguous and contiguous.dtype == dtype
    np.testing.assert_array_equal(contiguous, array.astype(dtype))


def test_what_is_contiguous_stays():
    array = fresh_array(LARGE, F4)
    assert make_contiguous(array, F4) is array


def test_scratch_grows_and_is_used_again():
    scratch = Scratch()
    one = scratch((11, 13), F4)
    one[...] = 7
    assert np.all(scratch((13, 11), F4) == 7)
    assert scratch(LARGE, np.dtype("float64")).shape == LARGE
    assert scratch((3,), np.dtype(ml_dtypes.bfloat16)).dtype == ml_dtypes.bfloat16
