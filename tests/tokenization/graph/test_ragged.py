"""Tests of vectors that hold many short ones."""

import random

import pytest
import tensorflow as tf

from tf_led.tokenization.graph.added import Pieces
from tf_led.tokenization.graph.ragged import (
    as_utf8,
    cut,
    neighbour,
    owners,
    pad,
    place,
    row_index,
    shift,
    with_space,
)


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


ROWS = tf.ragged.constant([[3, 5, 7, 11], [], [13, 17]], tf.int32)


def test_bytes_that_are_no_utf8_are_replaced_as_by_python():
    rng = random.Random(3)
    pool = [*b"\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\xc0\xc1\xf4\x90\xff\xefA\0"]
    texts = [bytes(rng.choices(pool, k=rng.randrange(9))) for _ in range(5003)]
    wanted = [text.decode("utf-8", errors="replace").encode() for text in texts]
    assert as_utf8(tf.constant(texts)).numpy().tolist() == wanted


def test_only_a_space_counts_as_a_space():
    found = with_space(tf.constant(["a", " a", "\na", "\u3000"])).numpy()
    assert [text.decode() for text in found] == [" a", " a", " \na", " \u3000"]


def test_added_tokens_stand_between_the_text():
    pieces = Pieces(
        text=tf.constant(["a", "<x>", "b", "<y>"]),
        row=tf.constant([0, 0, 2, 2], tf.int64),
        token_id=tf.constant([-1, 97, -1, 89]),
    )
    piece = tf.constant([0, 0, 2], tf.int64)
    found = place(pieces, tf.constant([3, 5, 7]), piece, 3)
    assert found.to_list() == [[3, 5, 97], [], [7, 89]]


@pytest.mark.parametrize(
    ("max_length", "from_left", "kept"),
    [
        (2, False, [[3, 5], [], [13, 17]]),
        (1, True, [[11], [], [17]]),
        (7, True, ROWS.to_list()),
    ],
)
def test_cutting(max_length, from_left, kept):
    assert cut(ROWS, max_length, from_left).to_list() == kept


@pytest.mark.parametrize(
    ("multiple", "on_left", "padded"),
    [
        (None, False, [[3, 5, 7, 11], [1] * 4, [13, 17, 1, 1]]),
        (3, True, [[1, 1, 3, 5, 7, 11], [1] * 6, [1] * 4 + [13, 17]]),
    ],
)
def test_padding(multiple, on_left, padded):
    assert pad(ROWS, 1, multiple, on_left).numpy().tolist() == padded
