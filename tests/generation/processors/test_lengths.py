import numpy as np
import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import (
    ExponentialDecayLength,
    MinLength,
    MinNewTokens,
)


@pytest.mark.parametrize("ends", [5, [5], [2, 23]])
def test_min_length(agrees, ends):
    assert agrees(MinLength(7, ends), theirs.MinLengthLogitsProcessor(7, ends))


def test_min_length_passes_over_an_end_token_beyond_the_vocabulary(agrees):
    ends = [5, -1, 31]
    assert agrees(MinLength(7, ends), theirs.MinLengthLogitsProcessor(7, ends))


def test_min_new_tokens_counts_from_the_prompt(agrees):
    peer = theirs.MinNewTokensLengthLogitsProcessor(2, 6, [3, 5])
    assert agrees(MinNewTokens(2, 6, [3, 5]), peer)


@pytest.mark.parametrize(
    ("start", "factor"), [(1, 1.7), (0, 1.01), (2, 0.6), (40, 2.0)]
)
def test_exponential_decay(agrees, start, factor):
    pair = (start, factor)
    peer = theirs.ExponentialDecayLengthPenalty(pair, [3, 5], 2)
    changed = agrees(ExponentialDecayLength(pair, [3, 5], 2), peer, rtol=1e-5)
    assert changed == (start < 40)


def test_a_decay_that_overflows_leaves_a_score_of_zero():
    decay = ExponentialDecayLength((0, 1e30), 1, 1)
    result = decay([[1.0, 0.0], [1.0, 2.0]], np.zeros([2, 11], np.int32), 11)
    np.testing.assert_array_equal(result, [[1, 0], [1, np.inf]])


def test_lengths_may_be_tensors(agrees):
    ours = MinNewTokens(tf.constant(2), tf.constant(5), 3)
    assert agrees(ours, theirs.MinNewTokensLengthLogitsProcessor(2, 5, 3))
    ours = MinLength(tf.constant(7), 3)
    assert agrees(ours, theirs.MinLengthLogitsProcessor(7, 3))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: MinLength(-3, 5), "`min_length` .* at least 0, got -3"),
        (lambda: MinLength(2.5, 5), "`min_length` .* int .* got 2.5"),
        (lambda: MinLength(3, "x"), "`eos_token_id` .* got 'x'"),
        (lambda: MinNewTokens(-1, 3, 5), "`prompt_len` .* got -1"),
        (lambda: MinNewTokens(1, -3, 5), "`min_new_tokens` .* got -3"),
        (lambda: MinNewTokens(1, True, 5), "`min_new_tokens` .* got True"),
        (lambda: ExponentialDecayLength(5, 1, 1), r"pair \(start, factor\), got 5"),
        (lambda: ExponentialDecayLength((1, 2, 3), 1, 1), r"got \(1, 2, 3\)"),
        (lambda: ExponentialDecayLength((-1, 2.0), 1, 1), r"penalty\[0\]` .* got -1"),
        (lambda: ExponentialDecayLength((1, 0.0), 1, 1), r"penalty\[1\]` .* got 0.0"),
        (lambda: ExponentialDecayLength((1, 2.0), None, 1), "`eos_token_id` .* None"),
        (lambda: ExponentialDecayLength((1, 2.0), [-1], 1), "`eos_token_id` .* got -1"),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_decay_rejects_an_end_token_beyond_the_vocabulary():
    with pytest.raises(
        ValueError, match=r"`eos_token_id` .* \[7\]; allowed are 0 to 2"
    ):
        ExponentialDecayLength((1, 2.0), 7, 1)([[0.0, 0.0, 0.0]], [[0]], 1)
