import time

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import (
    EncoderNoRepeatNGram,
    EncoderRepetitionPenalty,
    NoRepeatNGram,
    RepetitionPenalty,
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 40])
def test_no_repeat(agrees, size):
    peer = theirs.NoRepeatNGramLogitsProcessor(size)
    changed = agrees(NoRepeatNGram(size), peer, kinds=("plain", "hopeless"))
    assert changed == (size < 11)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 40])
def test_encoder_no_repeat_over_the_beams_of_each_document(agrees, encoder_ids, size):
    peer = theirs.EncoderNoRepeatNGramLogitsProcessor(
        size, torch.tensor(encoder_ids).long()
    )
    ours = EncoderNoRepeatNGram(size, encoder_ids)
    changed = agrees(ours, peer, kinds=("plain", "hopeless"))
    assert changed == (size < 40)


@hypothesis.given(
    tokens=st.lists(st.integers(0, 2), min_size=1, max_size=23),
    source=st.lists(st.integers(0, 2), min_size=1, max_size=31),
    size=st.integers(1, 9),
)
@hypothesis.settings(max_examples=hypothesis.settings.default.max_examples // 2)
def test_any_ngrams_of_any_size(tokens, source, size):
    scores = np.linspace(-1, 1, 3, dtype=np.float32)[None]
    ids, source = np.array([tokens]), np.array([source], np.int32)
    long_ids, length = torch.tensor(ids), len(tokens)
    peer = theirs.NoRepeatNGramLogitsProcessor(size)
    expected = peer(long_ids, torch.tensor(scores)).numpy()
    result = NoRepeatNGram(size)(scores, ids, length)
    np.testing.assert_array_equal(result, expected)
    peer = theirs.EncoderNoRepeatNGramLogitsProcessor(size, torch.tensor(source))
    expected = peer(long_ids, torch.tensor(scores)).numpy()
    result = EncoderNoRepeatNGram(size, source)(scores, ids, length)
    np.testing.assert_array_equal(result, expected)


def test_ids_that_the_vocabulary_lacks_forbid_nothing():
    result = NoRepeatNGram(1)([[0.0, 1.0, 2.0]], [[7, 1, -1]], 3)
    np.testing.assert_array_equal(result, [[0, -np.inf, 2]])


def test_a_long_document_and_large_ngrams_are_cheap():
    rng = np.random.default_rng(5)
    source = tf.constant(rng.integers(0, 50265, [1, 16384]), tf.int32)
    tokens = tf.tile(source[:, :512], [4, 1])  # as bad as it gets: a copy
    scores = tf.zeros([4, 50265])
    rule = tf.function(EncoderNoRepeatNGram(64, source))
    banned = rule(scores, tokens, tf.constant(500)) < 0
    assert tf.where(banned).numpy().tolist() == [[r, source[0, 500]] for r in range(4)]
    start = time.perf_counter()
    for length in range(400, 410):
        rule(scores, tokens, tf.constant(length))
    assert time.perf_counter() - start < 5  # seconds for ten; some 0.2 when measured


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: NoRepeatNGram(0), "`no_repeat_ngram_size` .* at least 1, got 0"),
        (lambda: NoRepeatNGram(2.0), "`no_repeat_ngram_size` .* int .* got 2.0"),
        (
            lambda: EncoderNoRepeatNGram(-2, [[0]]),
            "`encoder_no_repeat_ngram_size` .* at least 1, got -2",
        ),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


VOCAB = 29


@pytest.mark.parametrize("penalty", [1.3, 0.7, 5.0])
def test_repetition(agrees, penalty):
    peer = theirs.RepetitionPenaltyLogitsProcessor(penalty)
    assert agrees(RepetitionPenalty(penalty), peer)
    assert agrees(RepetitionPenalty(tf.constant(penalty)), peer)


def test_columns_that_do_not_count(agrees):
    peer = theirs.RepetitionPenaltyLogitsProcessor(1.3, 2)
    assert agrees(RepetitionPenalty(1.3, 2), peer)
    per_row = [0, 1, 2, 3, 0, 5]
    peer = theirs.RepetitionPenaltyLogitsProcessor(1.3, torch.tensor(per_row))
    assert agrees(RepetitionPenalty(1.3, np.array(per_row)), peer)


def test_one_number_per_document_serves_its_beams(agrees):
    peer = theirs.RepetitionPenaltyLogitsProcessor(
        1.3, torch.tensor([2, 2, 2, 0, 0, 0])
    )
    assert agrees(RepetitionPenalty(1.3, tf.constant([2, 0])), peer)


@pytest.mark.parametrize("penalty", [1.3, 0.7])
def test_encoder_repetition_over_the_beams_of_each_document(
    agrees, encoder_ids, penalty
):
    peer = theirs.EncoderRepetitionPenaltyLogitsProcessor(
        penalty, torch.tensor(encoder_ids).long()
    )
    assert agrees(EncoderRepetitionPenalty(penalty, encoder_ids, VOCAB), peer)
    by_tensor = EncoderRepetitionPenalty(tf.constant(penalty), encoder_ids, VOCAB)
    assert agrees(by_tensor, peer)


def test_documents_may_be_known_in_the_graph_alone(encoder_ids):
    scores = np.random.default_rng(0).normal(size=[2, VOCAB]).astype(np.float32)
    expected = EncoderRepetitionPenalty(1.3, encoder_ids, VOCAB)(scores, [[0], [0]], 1)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def penalise(ids):
        return EncoderRepetitionPenalty(1.3, ids, VOCAB)(scores, [[0], [0]], 1)

    np.testing.assert_array_equal(penalise(encoder_ids), expected)
    assert not np.array_equal(expected, scores)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: RepetitionPenalty(0.0), "`repetition_penalty` .* above 0, got 0.0"),
        (lambda: RepetitionPenalty(-1.5), "`repetition_penalty` .* got -1.5"),
        (lambda: RepetitionPenalty("2"), "`repetition_penalty` .* got '2'"),
        (lambda: RepetitionPenalty(np.nan), "`repetition_penalty` .* got nan"),
        (lambda: RepetitionPenalty(tf.constant(-2.0)), "`repetition_penalty` .* -2.0"),
        (lambda: RepetitionPenalty(1.5, -2), "`prompt_ignore_length` .* got -2"),
        (
            lambda: EncoderRepetitionPenalty(-1.5, [[0]], 3),
            "`encoder_repetition_penalty` .* got -1.5",
        ),
    ],
)
def test_a_bad_penalty_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_rows_that_do_not_fit_are_named():
    rule = RepetitionPenalty(1.5, np.array([1, 2]))
    with pytest.raises(ValueError, match="has 2 rows, but the scores have 3"):
        rule(np.zeros([3, 5], np.float32), np.zeros([3, 7], np.int32), 3)
