"""Beams that are named instead of moved."""

import numpy as np
import tensorflow as tf

from tf_led.generation.search.beam_cache import (
    extend_history,
    own_beams,
    pick_beams,
    write_column,
)


def test_at_first_each_beam_wrote_its_own():
    expected = [[[0] * 5, [1] * 5, [2] * 5]] * 2
    assert own_beams(2, 3, 5).numpy().tolist() == expected


def test_picking_keeps_the_other_axes():
    values = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    beam_index = np.array([[2, 0, 0, 1], [1, 1, 2, 0]])
    expected = np.take_along_axis(values, beam_index[..., None], axis=1)
    np.testing.assert_array_equal(pick_beams(values, beam_index), expected)


def test_writing_a_column_leaves_the_others():
    values = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    expected = values.copy()
    expected[..., 3] = [[-1, -2, -3], [-4, -5, -6]]
    written = write_column(values, 3, tf.constant(expected[..., 3]))
    np.testing.assert_array_equal(written, expected)
    np.testing.assert_array_equal(write_column(values, 5, values[..., 0]), values)


def test_histories_are_found_again_through_any_number_of_reorderings():
    """What random beams write is read back by the beam history, as if reordered."""
    rng = np.random.default_rng(0)
    batch, width, length = 2, 3, 11
    written = np.zeros([length, batch, width], int)  # never moved
    histories = np.zeros([batch, width, 0], int)  # moved at every step
    beam_history = own_beams(batch, width, length)
    for position in range(length):
        written[position] = rng.integers(0, 97, [batch, width])
        histories = np.concatenate([histories, written[position][..., None]], axis=-1)
        seen = written[: position + 1].transpose(1, 2, 0)
        lineage = beam_history.numpy()[..., : position + 1]
        found = np.take_along_axis(seen, lineage, axis=1)
        np.testing.assert_array_equal(found, histories)
        beam_index = rng.integers(0, width, [batch, width])
        histories = np.take_along_axis(histories, beam_index[..., None], axis=1)
        beam_history = extend_history(
            beam_history, tf.constant(beam_index, tf.int32), position + 1
        )
