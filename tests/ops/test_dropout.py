import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops.dropout import BlockDropout, dropout, fold_seed

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


def test_folded_seeds_differ_by_number_and_by_order():
    def leaves(seed, depth):
        if depth == 0:
            return [tuple(seed.numpy())]
        parts = [leaves(fold_seed(seed, number), depth - 1) for number in range(7)]
        return [tuple(seed.numpy()), *sum(parts, [])]

    seeds = leaves(SEED, 3)
    assert len(set(seeds)) == len(seeds) == 1 + 7 + 49 + 343
    assert fold_seed(None, 3) is None


def test_dropout_of_folded_seeds_is_independent():
    """Of two halves a quarter is kept by both."""
    draws = [
        dropout(tf.ones([10_007]), 0.5, fold_seed(SEED, number)).numpy() > 0
        for number in (0, 1)
    ]
    assert abs(np.mean(draws[0] & draws[1]) - 0.25) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("run", ["eager", "graph", "xla"])
@pytest.mark.parametrize("block_size", [12, 35])
def test_blocks_drop_the_same_however_many_are_handled_together(block_size, run):
    """Also where a block takes no whole number of draws of four."""
    blocks = tf.ones([6, block_size])

    def drop(per_step):
        steps = 6 // per_step
        drop = BlockDropout(0.4, SEED, block_size, steps, per_step)
        parts = tf.split(blocks, steps)
        return tf.concat([drop(i, part) for i, part in enumerate(parts)], axis=0)

    if run != "eager":
        drop = tf.function(drop, jit_compile=run == "xla")
    one, two, six = (drop(per_step).numpy() for per_step in (1, 2, 6))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, six)
    assert len({row.tobytes() for row in one}) == 6
    assert set(np.unique(one)) == {0, np.float32(1 / 0.6)}


@pytest.mark.parametrize(("rate", "seed"), [(0.0, SEED), (0.5, None)])
def test_blocks_without_rate_or_seed_are_not_touched(rate, seed):
    blocks = tf.ones([3, 5])
    assert BlockDropout(rate, seed, 5, 3, 1)(0, blocks) is blocks


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_blocks_lose_their_fraction_and_keep_their_dtype(dtype):
    blocks = tf.ones([7, 1009], dtype)
    dropped = BlockDropout(0.25, SEED, 1009, 1, 7)(0, blocks)
    assert dropped.dtype == dtype
    is_zero = tf.cast(dropped == 0, tf.float32)
    assert abs(float(tf.reduce_mean(is_zero)) - 0.25) < 0.02
