import numpy as np
import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import MinP, TopK


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
        (lambda: TopK(2.0), "`top_k` .* integer .* got 2.0"),
        (lambda: TopK(tf.constant(-3)), "`top_k` .* got -3"),
        (lambda: TopK(3, 0), "`min_tokens_to_keep` .* got 0"),
        (lambda: MinP(-0.1), r"`min_p` .* \[0, 1\], got -0.1"),
        (lambda: MinP(1.1), r"`min_p` .* \[0, 1\], got 1.1"),
        (lambda: MinP(np.nan), "`min_p` .* got nan"),
        (lambda: MinP(0.1, 1.5), "`min_tokens_to_keep` .* got 1.5"),
    ],
)
def test_a_bad_value_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()
