import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import (
    InfNanRemove,
    LogitNormalization,
    Temperature,
    TopP,
    Typical,
)


@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_temperature(agrees, temperature):
    peer = theirs.TemperatureLogitsWarper(temperature)
    assert agrees(Temperature(temperature), peer)
    assert agrees(Temperature(tf.constant(temperature)), peer)


def test_temperature_as_an_input_of_a_graph():
    @tf.function(jit_compile=True)
    def scale(temperature):
        return Temperature(temperature)([[4.0]], [[0]], 1)

    assert [float(scale(tf.constant(t))[0, 0]) for t in (2.0, 8.0)] == [2.0, 0.5]


def test_infinities_and_nan_are_removed(agrees):
    peer = theirs.InfNanRemoveLogitsProcessor()
    assert agrees(InfNanRemove(), peer)
    scores = np.float32([[np.nan, np.inf, -np.inf, 3.0, -0.5]])
    result = InfNanRemove()(scores, [[0]], 1).numpy()
    top = np.finfo(np.float32).max
    np.testing.assert_array_equal(result, np.float32([[0, top, -top, 3, -0.5]]))


def test_normalization(agrees):
    assert agrees(LogitNormalization(), theirs.LogitNormalization(), rtol=1e-5)


@pytest.mark.parametrize("value", [0, 0.0, -1.5, np.nan, "1", None, True])
def test_a_bad_temperature_is_named(value):
    with pytest.raises(ValueError, match=f"`temperature` .* got {value!r}.*do_sample"):
        Temperature(value)


def test_a_temperature_per_row_is_rejected():
    with pytest.raises(ValueError, match=r"`temperature` .* shape \(2,\)"):
        Temperature(tf.constant([1.0, 2.0]))


KINDS = ("plain", "banned", "hopeless")


@pytest.mark.parametrize(
    ("top_p", "least"), [(0.0, 1), (0.37, 1), (0.91, 1), (0.23, 5), (0.5, 99)]
)
def test_top_p(agrees, top_p, least):
    peer = theirs.TopPLogitsWarper(top_p, min_tokens_to_keep=least)
    assert agrees(TopP(top_p, least), peer, KINDS) == (least < 99)
    assert agrees(TopP(tf.constant(top_p), least), peer, KINDS) == (least < 99)


def test_a_top_p_of_1_keeps_what_can_come_up(agrees):
    peer = theirs.TopPLogitsWarper(1.0)
    assert not agrees(TopP(1.0), peer, KINDS)


def test_of_ties_at_the_edge_the_highest_ids_stay():
    result = TopP(0.5)([[1.0, 2.0, 1.0, 1.0, 1.0]], [[0]], 1).numpy()
    nothing = -np.inf
    np.testing.assert_array_equal(result, [[nothing, 2, nothing, nothing, 1]])


@hypothesis.given(
    scores=st.lists(st.integers(-3, 3), min_size=2, max_size=11),
    top_p=st.floats(0.01, 0.99),
    least=st.integers(1, 4),
)
def test_any_ties(scores, top_p, least):
    scores = np.float32([scores])
    rule = theirs.TopPLogitsWarper(top_p, min_tokens_to_keep=least)
    expected = rule(None, torch.tensor(scores)).numpy()
    near = [top_p - 1e-6, top_p + 1e-6]  # an edge that rounding may result is no case
    rules = [theirs.TopPLogitsWarper(p, min_tokens_to_keep=least) for p in near]
    hypothesis.assume(
        all(np.array_equal(r(None, torch.tensor(scores)), expected) for r in rules)
    )
    result = TopP(top_p, least)(scores, [[0]], 1).numpy()
    # Which of the ties at the edge PyTorch keeps depends on its sort, not how many.
    np.testing.assert_array_equal(np.sort(result), np.sort(expected))
    assert set(result[0]) <= {*scores[0], -np.inf}


@pytest.mark.parametrize("way", [{}, {"jit_compile": True}])
def test_top_p_of_large_vocabularies_flat_and_steep(way):
    """1,024 tokens are enough to decide the steep case, not the flat one."""
    rule = tf.function(TopP(0.83), **way)
    for spread, is_steep in ((0.1, False), (5.0, True)):
        scores = np.random.default_rng(2).normal(0, spread, [3, 2003])
        scores = scores.astype(np.float32)
        expected = theirs.TopPLogitsWarper(0.83)(None, torch.tensor(scores)).numpy()
        result = rule(tf.constant(scores), tf.zeros([3, 1], tf.int32), tf.constant(1))
        np.testing.assert_array_equal(result, expected)
        assert np.all(np.isfinite(expected).sum(axis=1) < 1024) == is_steep


def test_more_to_keep_than_are_looked_at_first():
    scores = np.random.default_rng(2).normal(0, 5, [3, 2003]).astype(np.float32)
    peer = theirs.TopPLogitsWarper(0.83, min_tokens_to_keep=1500)
    result = TopP(0.83, 1500)(scores, [[0]] * 3, 1)
    np.testing.assert_array_equal(result, peer(None, torch.tensor(scores)).numpy())


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: TopP(-0.1), r"`top_p` .* \[0, 1\], got -0.1"),
        (lambda: TopP(1.5), "`top_p` .* got 1.5"),
        (lambda: TopP("a"), "`top_p` .* got 'a'"),
        (lambda: TopP(0.5, 0), "`min_tokens_to_keep` .* got 0"),
    ],
)
def test_a_bad_top_p_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(("mass", "least"), [(0.2, 1), (0.9, 1), (0.4, 5)])
def test_typical(agrees, mass, least):
    # Of equally strange tokens, rounding decides which PyTorch takes: no tied case.
    kinds = ("plain", "banned", "hopeless")
    peer = theirs.TypicalLogitsWarper(mass, min_tokens_to_keep=least)
    assert agrees(Typical(mass, least), peer, kinds, lengths=(1, 2))
    by_tensor = Typical(tf.constant(mass), least)
    assert agrees(by_tensor, peer, kinds)


def test_a_mass_of_1_keeps_all(agrees):
    unchanged = lambda ids, scores: scores  # noqa: E731
    assert not agrees(Typical(tf.constant(1.0)), unchanged, lengths=(1,))


@pytest.mark.parametrize("way", [{}, {"jit_compile": True}])
def test_typical_p_of_large_vocabularies_flat_and_steep(way):
    """1,024 tokens are enough to decide the steep case, not the flat one."""
    rule = tf.function(Typical(0.83), **way)
    for spread, is_steep in ((0.1, False), (5.0, True)):
        scores = np.random.default_rng(2).normal(0, spread, [3, 2003])
        scores = scores.astype(np.float32)
        expected = theirs.TypicalLogitsWarper(0.83)(None, torch.tensor(scores)).numpy()
        result = rule(tf.constant(scores), tf.zeros([3, 1], tf.int32), tf.constant(1))
        np.testing.assert_array_equal(result, expected)
        assert np.all(np.isfinite(expected).sum(axis=1) < 1024) == is_steep


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Typical(0.0), r"`typical_p` .* \(0, 1\], got 0.0"),
        (lambda: Typical(1.5), "`typical_p` .* got 1.5"),
        (lambda: Typical(0.5, 0), "`min_tokens_to_keep` .* got 0"),
    ],
)
def test_a_bad_typical_p_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
