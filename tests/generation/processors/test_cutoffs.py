import numpy as np
import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import Epsilon, Eta

KINDS = ("plain", "tied", "banned")


@pytest.mark.parametrize(("cutoff", "least"), [(0.01, 1), (0.3, 1), (0.9, 3)])
def test_epsilon(agrees, cutoff, least):
    peer = theirs.EpsilonLogitsWarper(cutoff, min_tokens_to_keep=least)
    assert agrees(Epsilon(cutoff, least), peer, lengths=(1, 2))
    assert agrees(Epsilon(tf.constant(cutoff), least), peer)


@pytest.mark.parametrize(("cutoff", "least"), [(0.01, 1), (0.3, 1), (0.9, 3)])
def test_eta(agrees, cutoff, least):
    peer = theirs.EtaLogitsWarper(cutoff, min_tokens_to_keep=least)
    assert agrees(Eta(cutoff, least), peer, KINDS, lengths=(1, 2))
    assert agrees(Eta(tf.constant(cutoff), least), peer, KINDS)


@pytest.mark.parametrize("rule", [Epsilon(0.3), Eta(0.3)])
def test_a_row_with_nothing_left_stays_as_it_is(rule):
    scores = np.full([1, 5], -np.inf, np.float32)  # PyTorch's eta cut-off raises here
    np.testing.assert_array_equal(rule(scores, [[0]], 1), scores)


@pytest.mark.parametrize("kind", [Epsilon, Eta])
def test_a_cutoff_of_0_in_a_tensor_keeps_all(agrees, kind):
    unchanged = lambda ids, scores: scores  # noqa: E731
    assert not agrees(kind(tf.constant(0.0)), unchanged, KINDS, lengths=(1,))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Epsilon(0.0), r"`epsilon_cutoff` .* \(0, 1\), got 0.0"),
        (lambda: Epsilon(1.0), "`epsilon_cutoff` .* got 1.0"),
        (lambda: Epsilon(0.1, 0), "`min_tokens_to_keep` .* got 0"),
        (lambda: Eta(-0.5), r"`eta_cutoff` .* \(0, 1\), got -0.5"),
        (lambda: Eta("a"), "`eta_cutoff` .* got 'a'"),
        (lambda: Eta(tf.constant(1.5)), "`eta_cutoff` .* got 1.5"),
        (lambda: Eta(0.1, -1), "`min_tokens_to_keep` .* got -1"),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
