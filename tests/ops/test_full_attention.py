import numpy as np
import tensorflow as tf

from tests.ops.dense import assert_close, draw
from tf_led.ops.full_attention import full_attention

B, N, T, K, H = 2, 3, 5, 7, 11


def make(seed=0):
    rng = np.random.default_rng(seed)
    query, key, value = (draw(rng, B, N, size, H) for size in (T, K, K))
    visible = rng.random([B, 1, T, K]) < 0.6
    visible[..., 0] = True
    return query, key, value, visible


def test_equals_numpy():
    query, key, value, visible = make()
    context, probs = full_attention(query, key, value, visible=tf.constant(visible))
    scores = np.einsum("bnth,bnkh->bntk", query, key, dtype="float64")
    shares = np.where(visible, np.exp(scores - scores.max(-1, keepdims=True)), 0)
    shares /= shares.sum(-1, keepdims=True)
    assert_close(probs, shares)
    assert_close(context, np.einsum("bntk,bnkh->bnth", shares, value))


def test_a_query_that_sees_nothing_stays_finite():
    query, key, value, visible = make()
    visible[1, :, 2] = False
    context, probs = full_attention(query, key, value, visible=tf.constant(visible))
    np.testing.assert_allclose(probs[1, :, 2], 1 / K, rtol=1e-6)
    assert_close(context[1, :, 2], tf.reduce_mean(value[1], axis=1))


def test_dropout_reaches_the_context_but_not_the_map():
    query, key, value, visible = make()
    options = {"visible": tf.constant(visible), "dropout_rate": 0.5}
    plain, probs = full_attention(query, key, value, **options)
    dropped, same = full_attention(query, key, value, **options, seed=[3, 5])
    again, _ = full_attention(query, key, value, **options, seed=[3, 5])
    np.testing.assert_array_equal(probs, same)
    np.testing.assert_array_equal(dropped, again)
    assert np.abs(dropped - plain).max() > 0.1
