import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import EncoderRepetitionPenalty, RepetitionPenalty

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
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_rows_that_do_not_fit_are_named():
    rule = RepetitionPenalty(1.5, np.array([1, 2]))
    with pytest.raises(ValueError, match="has 2 rows, but the scores have 3"):
        rule(np.zeros([3, 5], np.float32), np.zeros([3, 7], np.int32), 3)
