"""Tests of vectors that hold many short ones."""

import pytest
import tensorflow as tf

from tf_led.tokenization.graph_flat import neighbour, owners, row_index, shift


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize(
    ("lengths", "owner"),
    [
        ([2, 0, 0, 3, 0], [0, 0, 3, 3, 3]),
        ([0, 1], [1]),
        ([3], [0, 0, 0]),
        ([0], []),
        ([], []),
    ],
)
def test_owners(lengths, owner, dtype):
    found = owners(tf.constant(lengths, dtype))
    assert found.dtype == dtype
    assert found.numpy().tolist() == owner


def test_one_long_vector_among_many_costs_nothing():
    # By a mask it would take 10 GB.
    lengths = tf.concat([tf.ones([100_000], tf.int32), [100_000]], 0)
    assert int(owners(lengths)[-1]) == 100_000


def test_rows_of_a_ragged_tensor():
    ragged = tf.ragged.constant([[3, 5], [], [7]])
    assert row_index(ragged).numpy().tolist() == [0, 0, 2]


@pytest.mark.parametrize(
    ("offset", "moved"), [(1, [5, 7, 0]), (-1, [0, 3, 5]), (-5, [0] * 3), (5, [0] * 3)]
)
def test_shift_fills_the_gap(offset, moved):
    assert shift(tf.constant([3, 5, 7]), offset, 0).numpy().tolist() == moved


def test_neighbour_stays_in_its_text():
    values, texts = tf.constant([3, 5, 7]), tf.constant([0, 0, 1])
    assert neighbour(values, texts, 1, -2).numpy().tolist() == [5, -2, -2]
