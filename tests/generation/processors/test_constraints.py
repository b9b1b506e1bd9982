import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import (
    ForcedBOS,
    ForcedEOS,
    NoBadWords,
    SequenceBias,
    SuppressTokens,
    SuppressTokensAtBegin,
)

BIASES = {
    (5,): 1.25,
    (0,): -np.inf,
    (0, 1): 2.5,
    (2, 1): -1.5,
    (1, 2): -np.inf,
    (3, 1, 0, 2): 7.0,
    (0, 3, 2): 0.5,
    tuple(range(20)): 3.0,
}


def test_sequence_bias(agrees):
    as_list = [[list(ids), bias] for ids, bias in BIASES.items()]
    peer = theirs.SequenceBiasLogitsProcessor(BIASES)
    assert agrees(SequenceBias(BIASES), peer)
    assert agrees(SequenceBias(as_list), peer)


def test_sequences_longer_than_all_tokens_wait(agrees):
    bias = {tuple(range(7)): 1.0}
    rule, peer = SequenceBias(bias), theirs.SequenceBiasLogitsProcessor(bias)
    assert not agrees(rule, peer)
    ids = np.arange(6)[None]
    result = rule(np.zeros([1, 7], np.float32), ids, 6).numpy()
    np.testing.assert_array_equal(result, [[0, 0, 0, 0, 0, 0, 1]])


@pytest.mark.parametrize("words", [[[3]], [[5], [0, 1], [2, 1], [1, 1, 0, 2], [9, 9]]])
def test_bad_words(agrees, words):
    peer = theirs.NoBadWordsLogitsProcessor(words, [3, 9] if len(words) > 1 else None)
    ours = NoBadWords(words, [3, 9] if len(words) > 1 else None)
    assert agrees(ours, peer)


def test_an_end_token_alone_is_no_bad_word():
    rule = NoBadWords([[1], [2], [1, 1]], eos_token_id=1)
    result = rule([[0.0, 0.0, 0.0]], [[0]], 1).numpy()
    np.testing.assert_array_equal(result, [[0, 0, -np.inf]])


@hypothesis.given(
    words=st.lists(
        st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=7
    ),
    tokens=st.lists(st.integers(0, 2), min_size=1, max_size=7),
)
def test_any_words(words, tokens):
    scores, ids = np.linspace(-1, 1, 3, dtype=np.float32)[None], np.array([tokens])
    peer = theirs.NoBadWordsLogitsProcessor(words)
    expected = peer(torch.tensor(ids), torch.tensor(scores)).numpy()
    result = NoBadWords(words)(scores, ids, len(tokens))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "`sequence_bias` .* got {}"),
        ([], r"`sequence_bias` .* got \[\]"),
        (3, "`sequence_bias` .* got 3"),
        ({(): 1.0}, r"got \(\(\), 1.0\)"),
        ({5: 1.0}, r"got \(5, 1.0\)"),
        ({(5, -1): 1.0}, r"got \(\(5, -1\), 1.0\)"),
        ({(5,): "1"}, r"got \(\(5,\), '1'\)"),
        ([[[5], 1.0, 2]], r"got \[\[5\], 1.0, 2\]"),
        ([[5, 1.0]], r"got \[5, 1.0\]"),
        ([[[5.0], 1.0]], r"got \[\[5.0\], 1.0\]"),
    ],
)
def test_a_bad_bias_is_named(given, named):
    with pytest.raises(ValueError, match=named):
        SequenceBias(given)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([], r"`bad_words_ids` .* got \[\]"),
        ("word", "`bad_words_ids` .* got 'word'"),
        ([5], "`bad_words_ids` .* got 5"),
        ([[5], []], r"`bad_words_ids` .* got \[\]"),
        ([[5, -3]], r"`bad_words_ids` .* got \[5, -3\]"),
        ([[True]], r"`bad_words_ids` .* got \[True\]"),
        ([[2]], r"`bad_words_ids` .* not an end token; got \[\[2\]\]"),
    ],
)
def test_a_bad_word_is_named(given, named):
    with pytest.raises(ValueError, match=named):
        NoBadWords(given, eos_token_id=2)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (SequenceBias({(1, 31): 1.0, (37,): 1.0}), "sequence_bias"),
        (NoBadWords([[1], [31, 37]]), "bad_words_ids"),
    ],
)
def test_a_biased_id_beyond_the_vocabulary_is_named(rule, name):
    with pytest.raises(ValueError, match=rf"`{name}` .* \[31, 37\]; .* 0 to 2"):
        rule([[0.0, 0.0, 0.0]], [[0]], 1)


def test_forced_bos_follows_the_start_token_alone(agrees):
    assert agrees(ForcedBOS(5), theirs.ForcedBOSTokenLogitsProcessor(5))
    assert not agrees(ForcedBOS(5), lambda ids, scores: scores, lengths=(2, 5))


@pytest.mark.parametrize("ends", [5, [2, 23]])
def test_forced_eos_takes_the_last_place(agrees, ends):
    assert agrees(ForcedEOS(8, ends), theirs.ForcedEOSTokenLogitsProcessor(8, ends))


def test_max_length_may_be_a_tensor(agrees):
    peer = theirs.ForcedEOSTokenLogitsProcessor(8, 3)
    assert agrees(ForcedEOS(tf.constant(8), 3), peer)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ForcedBOS(-2), "`forced_bos_token_id` .* got -2"),
        (lambda: ForcedBOS(1.5), "`forced_bos_token_id` .* got 1.5"),
        (lambda: ForcedEOS(0, 2), "`max_length` .* at least 1, got 0"),
        (lambda: ForcedEOS(5, [2, -2]), "`forced_eos_token_id` .* got -2"),
        (lambda: ForcedEOS(5, True), "`forced_eos_token_id` .* got True"),
    ],
)
def test_a_bad_forced_token_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    "make", [lambda ids: ForcedBOS(ids), lambda ids: ForcedEOS(5, ids)]
)
def test_a_forced_id_beyond_the_vocabulary_is_named(make):
    with pytest.raises(ValueError, match=r"\[31\]; allowed are 0 to 2"):
        make(31)([[0.0, 0.0, 0.0]], [[0]], 1)


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
def test_a_bad_suppressed_token_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    "rule", [SuppressTokens([1, 31]), SuppressTokensAtBegin([1, 31], 1)]
)
def test_a_suppressed_id_beyond_the_vocabulary_is_named(rule):
    with pytest.raises(ValueError, match=r"suppress_tokens` .* \[31\]"):
        rule([[0.0, 0.0, 0.0]], [[0]], 1)
