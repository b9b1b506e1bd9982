import numpy as np
import tensorflow as tf

from tf_led.generation.processors.base import (
    count_tokens,
    mark_ids,
    mark_tokens,
    repeat_for_beams,
)


def test_tokens_are_counted_row_by_row_where_they_count():
    ids = tf.constant([[0, 2, 2, 9], [1, -1, 1, 0]])
    where = tf.constant([[True, True, True, True], [True, True, False, True]])
    assert count_tokens(ids, 3).numpy().tolist() == [[1, 0, 2], [1, 2, 0]]
    assert count_tokens(ids, 3, where).numpy().tolist() == [[1, 0, 2], [1, 1, 0]]
    assert mark_tokens(ids, 3).numpy().tolist() == [
        [True, False, True],
        [True, True, False],
    ]


def test_a_few_ids_for_all_rows():
    assert mark_ids((2, 31, -1), tf.zeros([7, 3])).numpy().tolist() == [
        [False, False, True]
    ]
    assert not np.any(mark_ids((), tf.zeros([7, 3])))


def test_documents_are_repeated_next_to_each_other():
    repeated = repeat_for_beams(tf.constant([[3, 4], [5, 6]]), tf.zeros([6, 1]))
    assert repeated.numpy().tolist() == [[3, 4]] * 3 + [[5, 6]] * 3
