import numpy as np
import pytest
import tensorflow as tf
import torch
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import TopH


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


def test_a_row_with_nothing_left_stays_as_it_is():
    scores = np.full([1, 5], -np.inf, np.float32)  # PyTorch raises here
    np.testing.assert_array_equal(TopH(0.5)(scores, [[0]], 1), scores)


@pytest.mark.parametrize("value", [0.0, 1.5, -1, "a"])
def test_a_bad_value_is_named(value):
    with pytest.raises(ValueError, match=rf"`top_h` .* \(0, 1\], got {value!r}"):
        TopH(value)
