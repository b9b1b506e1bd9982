"""Ranking hypotheses."""

import numpy as np
import pytest
import tensorflow as tf

from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.search.hypotheses import (
    NEVER,
    LengthPenalty,
    best_of_all,
    extend_history,
    keep_best,
    new_hypotheses,
    own_beams,
    pick_beams,
    write_column,
)


@pytest.mark.parametrize("count", [1, 6, 19, 33])
def test_the_best_of_all_are_those_of_a_full_sort(count):
    scores = np.random.default_rng(0).standard_normal([2, 3, 11]).astype(np.float32)
    scores[0, 1, 4:] = -np.inf
    flat = scores.reshape(2, -1)
    order = np.argsort(-flat, axis=1, kind="stable")[:, :count]
    values, beam_index, ids = best_of_all(tf.constant(scores), count)
    np.testing.assert_array_equal(values, np.take_along_axis(flat, order, axis=1))
    np.testing.assert_array_equal(beam_index, order // 11)
    np.testing.assert_array_equal(ids, order % 11)


def test_among_equals_the_lower_slot_and_token_come_first():
    _, beam_index, ids = best_of_all(tf.zeros([1, 2, 5]), 7)
    assert beam_index.numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1]]
    assert ids.numpy().tolist() == [[0, 1, 2, 3, 4, 0, 1]]


def test_the_best_may_be_worth_something_else():
    rng = np.random.default_rng(0)
    scores, worth = rng.standard_normal([2, 2, 3, 11]).astype(np.float32)
    values, *places = best_of_all(tf.constant(scores), 7, tf.constant(worth))
    _, *expected = best_of_all(tf.constant(scores), 7)
    np.testing.assert_array_equal(places, expected)
    of_pairs = tf.gather_nd(worth, tf.stack(places, axis=-1), batch_dims=1)
    np.testing.assert_array_equal(values, of_pairs)


def test_of_equal_scores_the_first_list_wins():
    first, second = (
        new_hypotheses(tf.fill([1, 2, 5], token), NEVER, 1) for token in (3, 7)
    )
    flags = tf.constant([[True, False]])
    best, kept = keep_best(3, (first, flags), (second, ~flags))
    assert best.tokens[0, :, 0].numpy().tolist() == [3, 3, 7]
    assert kept.numpy().tolist() == [[True, False, False]]


@pytest.mark.parametrize("power", [-1.5, 0.0, 0.7, 2.0])
@pytest.mark.parametrize("early", [False, True, "never"])
@pytest.mark.parametrize("is_input", [False, True])
def test_length_penalty(power, early, is_input):
    options = GenerationOptions(
        length_penalty=power, early_stopping=early, max_length=14
    )
    if is_input:
        options = options.with_tensors(length_penalty=tf.constant(power))
    penalty = LengthPenalty(options, prompt_len=3, length=14)
    for count in (1, 5, 11):
        np.testing.assert_allclose(penalty(count), count**power, rtol=1e-6)
        best = 11 if early == "never" and power > 0 else count
        np.testing.assert_allclose(penalty.best_case(count), best**power, rtol=1e-6)


def test_new_hypotheses_have_chosen_nothing():
    new = new_hypotheses(tf.ones([2, 3, 7], tf.int32), [0.0, -1.0, -2.0], 2)
    assert new.num_chosen().numpy().tolist() == [[0] * 3] * 2
    assert new.scores.numpy().tolist() == [[0.0, -1.0, -2.0]] * 2
    assert new.beam_indices.shape == (2, 3, 5)


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
