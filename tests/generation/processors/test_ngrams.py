import time

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import EncoderNoRepeatNGram, NoRepeatNGram


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
        (lambda: NoRepeatNGram(2.0), "`no_repeat_ngram_size` .* integer .* got 2.0"),
        (
            lambda: EncoderNoRepeatNGram(-2, [[0]]),
            "`encoder_no_repeat_ngram_size` .* at least 1, got -2",
        ),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
