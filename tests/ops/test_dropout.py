import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops.dropout import dropout, fold_seed

SEED = tf.constant([3, 5])


def test_the_same_seed_drops_the_same():
    ones = tf.ones([101, 7])
    first, again = dropout(ones, 0.25, SEED), dropout(ones, 0.25, SEED)
    np.testing.assert_array_equal(first, again)
    assert np.any(first != dropout(ones, 0.25, tf.constant([3, 7])))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_scales_up_what_is_left(rate):
    dropped = dropout(tf.ones([10_007]), rate, SEED).numpy()
    assert set(np.unique(dropped)) == {0, np.float32(1 / (1 - rate))}
    assert abs(np.mean(dropped == 0) - rate) < 0.02


def test_without_rate_or_seed_nothing_is_touched():
    ones = tf.ones([3])
    assert dropout(ones, 0.0, SEED) is ones
    assert dropout(ones, 0.5, None) is ones


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_keeps_the_dtype(dtype):
    assert dropout(tf.ones([7], dtype), 0.5, SEED).dtype == dtype


def test_gradients_fall_where_values_did():
    ones = tf.ones([101])
    with tf.GradientTape() as tape:
        tape.watch(ones)
        dropped = dropout(ones, 0.5, SEED)
    np.testing.assert_array_equal(tape.gradient(dropped, ones), dropped)


def test_folded_seeds_differ_by_number():
    seeds = {tuple(fold_seed(SEED, number).numpy()) for number in range(13)}
    assert len(seeds) == 13
    assert tuple(SEED.numpy()) not in seeds
    assert fold_seed(None, 3) is None
