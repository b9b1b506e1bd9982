import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import Epsilon, Eta, MinP, TopH, TopK


@pytest.mark.parametrize(("top_k", "least"), [(1, 1), (3, 1), (2, 5), (99, 1)])
def test_top_k(agrees, top_k, least):
    peer = theirs.TopKLogitsWarper(top_k, min_tokens_to_keep=least)
    assert agrees(TopK(top_k, least), peer) == (top_k < 99)
    by_tensor = TopK(tf.constant(top_k), least)
    assert agrees(by_tensor, peer, lengths=(1,)) == (top_k < 99)


def test_a_top_k_of_0_in_a_tensor_keeps_all(agrees):
    assert not agrees(TopK(tf.constant(0)), lambda ids, scores: scores, lengths=(1,))


@pytest.mark.parametrize(("min_p", "least"), [(0.0, 1), (0.03, 1), (0.4, 1), (1.0, 3)])
def test_min_p(agrees, min_p, least):
    # Which of equally likely tokens fill up to `least`, PyTorch leaves open.
    kinds = ("plain", "banned", "hopeless") + (("tied",) if least == 1 else ())
    peer = theirs.MinPLogitsWarper(min_p, min_tokens_to_keep=least)
    assert agrees(MinP(min_p, least), peer, kinds, lengths=(1, 2)) == (min_p > 0)
    by_tensor = MinP(tf.constant(min_p), least)
    assert agrees(by_tensor, peer, kinds) == (min_p > 0)


def test_more_tokens_to_keep_than_there_are(agrees):
    peer = theirs.MinPLogitsWarper(0.9, min_tokens_to_keep=99)
    assert not agrees(MinP(0.9, 99), peer, lengths=(1,))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: TopK(0), "`top_k` .* at least 1, got 0"),
        (lambda: TopK(-3), "`top_k` .* got -3"),
        (lambda: TopK(2.0), "`top_k` .* int .* got 2.0"),
        (lambda: TopK(tf.constant(-3)), "`top_k` .* got -3"),
        (lambda: TopK(3, 0), "`min_tokens_to_keep` .* got 0"),
        (lambda: MinP(-0.1), r"`min_p` .* \[0, 1\], got -0.1"),
        (lambda: MinP(1.1), r"`min_p` .* \[0, 1\], got 1.1"),
        (lambda: MinP(np.nan), "`min_p` .* got nan"),
        (lambda: MinP(0.1, 1.5), "`min_tokens_to_keep` .* got 1.5"),
    ],
)
def test_a_bad_top_k_or_min_p_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize("top_h", [0.05, 0.4, 0.9])
def test_top_h(agrees, top_h):
    kinds = ("plain", "banned")
    assert agrees(TopH(top_h), theirs.TopHLogitsWarper(top_h), kinds, lengths=(1, 2))
    by_tensor = TopH(tf.constant(top_h))
    assert agrees(by_tensor, theirs.TopHLogitsWarper(top_h), kinds)


def test_only_the_best_hundred_are_looked_at():
    scores = np.random.default_rng(2).normal(0, 0.1, [3, 211]).astype(np.float32)
    expected = theirs.TopHLogitsWarper(0.999)(None, torch.tensor(scores)).numpy()
    np.testing.assert_array_equal(TopH(0.999)(scores, [[0]] * 3, 1), expected)
    assert np.isfinite(expected).sum() <= 300


def test_top_h_leaves_a_row_with_nothing_left_as_it_is():
    scores = np.full([1, 5], -np.inf, np.float32)  # PyTorch raises here
    np.testing.assert_array_equal(TopH(0.5)(scores, [[0]], 1), scores)


@pytest.mark.parametrize("value", [0.0, 1.5, -1, "a"])
def test_a_bad_top_h_is_named(value):
    with pytest.raises(ValueError, match=rf"`top_h` .* \(0, 1\], got {value!r}"):
        TopH(value)


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
def test_cutoffs_leave_a_row_with_nothing_left_as_it_is(rule):
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
def test_a_bad_cutoff_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
