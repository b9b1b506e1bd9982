import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import Typical


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
def test_large_vocabularies_flat_and_steep(way):
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
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
