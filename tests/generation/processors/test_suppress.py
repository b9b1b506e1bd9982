import numpy as np
import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import SuppressTokens, SuppressTokensAtBegin


@pytest.mark.parametrize("ids", [[5], [2, 2, 23], range(7), np.array([0, 28])])
def test_suppressed_tokens(agrees, ids):
    assert agrees(SuppressTokens(ids), theirs.SuppressTokensLogitsProcessor(ids))


def test_nothing_suppressed(agrees):
    assert not agrees(SuppressTokens([]), theirs.SuppressTokensLogitsProcessor([]))


@pytest.mark.parametrize("begin", [3, tf.constant(3)])
def test_suppressed_at_one_length_only(agrees, begin):
    peer = theirs.SuppressTokensAtBeginLogitsProcessor([2, 23], 3)
    assert agrees(SuppressTokensAtBegin([2, 23], begin), peer)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: SuppressTokens([3, -5]), "`suppress_tokens` .* got -5"),
        (lambda: SuppressTokens([[3]]), r"`suppress_tokens` .* got \[3\]"),
        (lambda: SuppressTokensAtBegin([-5], 1), "`begin_suppress_tokens` .* got -5"),
        (lambda: SuppressTokensAtBegin([5], -1), "`begin_index` .* got -1"),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    "rule", [SuppressTokens([1, 31]), SuppressTokensAtBegin([1, 31], 1)]
)
def test_an_id_beyond_the_vocabulary_is_named(rule):
    with pytest.raises(ValueError, match=r"suppress_tokens` .* \[31\]"):
        rule([[0.0, 0.0, 0.0]], [[0]], 1)
