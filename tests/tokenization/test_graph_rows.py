"""Tests of rows of ids in TensorFlow ops."""

import random

import pytest
import tensorflow as tf

from tf_led.tokenization.graph_added import Pieces
from tf_led.tokenization.graph_rows import as_utf8, cut, pad, place, with_space

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
    ("room", "from_left", "kept"),
    [
        (2, False, [[3, 5], [], [13, 17]]),
        (1, True, [[11], [], [17]]),
        (7, True, ROWS.to_list()),
    ],
)
def test_cutting(room, from_left, kept):
    assert cut(ROWS, room, from_left).to_list() == kept


@pytest.mark.parametrize(
    ("multiple", "on_left", "padded"),
    [
        (None, False, [[3, 5, 7, 11], [1] * 4, [13, 17, 1, 1]]),
        (3, True, [[1, 1, 3, 5, 7, 11], [1] * 6, [1] * 4 + [13, 17]]),
    ],
)
def test_padding(multiple, on_left, padded):
    assert pad(ROWS, 1, multiple, on_left).numpy().tolist() == padded
