"""The oracle of the processors, PyTorch's own, and what both are run on."""

import numpy as np
import pytest
import tensorflow as tf
import torch

BATCH, BEAMS, VOCAB, BUFFER, SOURCE = 2, 3, 29, 13, 17
ROWS = BATCH * BEAMS
LENGTHS = (1, 2, 3, 7, 12, 13)
NOTHING = -np.inf


def draw_tokens(rng, rows=ROWS, buffer=BUFFER):
    """Tokens of which many repeat: few ids make up most of them."""
    few = rng.integers(0, 3, (rows, buffer))
    return np.where(
        rng.random((rows, buffer)) < 0.9, few, rng.integers(0, VOCAB, few.shape)
    )


def draw_scores(rng, kind):
    scores = rng.normal(0, 3, (ROWS, VOCAB))
    if kind == "tied":
        scores = rng.integers(-2, 3, (ROWS, VOCAB)) * 0.7
    if kind in ("banned", "hopeless"):
        scores[rng.random(scores.shape) < 0.4] = NOTHING
        scores[:, 0] = 1.0
    if kind == "hopeless":
        scores[ROWS // 2] = NOTHING
    return scores.astype(np.float32)


def spoil(tokens, length, rng):
    """Fills the buffer beyond `length` with what must not matter."""
    garbage = rng.choice([-7, 0, 1, VOCAB, 10**6, 2**31 - 1], tokens.shape)
    beyond = np.arange(tokens.shape[1]) >= length
    return np.where(beyond, garbage, tokens).astype(np.int32)


def torch_answer(theirs, scores, tokens, length):
    ids = torch.tensor(tokens[:, :length].astype(np.int64))
    return theirs(ids, torch.tensor(scores.copy())).numpy()


@pytest.fixture
def draws():
    """Gives, for each kind of scores and each length, (scores, tokens, length)."""

    def draw(kinds, lengths=LENGTHS):
        rng = np.random.default_rng(7)
        for kind in kinds:
            for length in lengths:
                scores = draw_scores(rng, kind)
                yield scores, spoil(draw_tokens(rng), length, rng), length

    return draw


@pytest.fixture
def agrees(draws):
    """Asserts that a processor gives what PyTorch's gives.

    Returns whether any score changed at all, so that no test compares nothing.
    """

    def check(
        ours,
        theirs,
        kinds=("plain", "tied", "banned", "hopeless"),
        lengths=LENGTHS,
        rtol=1e-6,
    ):
        changes = 0
        for scores, tokens, length in draws(kinds, lengths):
            expected = torch_answer(theirs, scores, tokens, length)
            result = ours(tf.constant(scores), tokens, tf.constant(length)).numpy()
            np.testing.assert_allclose(result, expected, rtol=rtol, atol=1e-6)
            changes += not np.array_equal(expected, scores, equal_nan=True)
        return changes > 0

    return check


@pytest.fixture
def encoder_ids():
    rng = np.random.default_rng(3)
    return draw_tokens(rng, BATCH, SOURCE).astype(np.int32)
