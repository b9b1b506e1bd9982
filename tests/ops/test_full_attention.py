import numpy as np
import tensorflow as tf

from tests.ops.dense import assert_close, draw
from tf_led.ops.full_attention import HeadsFirst, full_attention
from tf_led.ops.tensor_utils import heads_first

B, T, K, N, H = 2, 5, 7, 3, 11
SCALE = 0.3


def make(seed=0):
    rng = np.random.default_rng(seed)
    query, key, value = (draw(rng, B, size, N, H) for size in (T, K, K))
    mask = rng.random([B, 1, T, K]) < 0.6
    mask[..., 0] = True
    return query, key, value, mask


def attend(query, key, value, mask, **options):
    options = {"scale": SCALE, "output_attentions": True} | options
    return full_attention(
        query, key, value, attention_mask=tf.constant(mask), **options
    )


def test_equals_numpy():
    query, key, value, mask = make()
    context, probs = attend(query, key, value, mask)
    scores = SCALE * np.einsum("btnh,bknh->bntk", query, key, dtype="float64")
    expected = np.where(mask, np.exp(scores - scores.max(-1, keepdims=True)), 0)
    expected /= expected.sum(-1, keepdims=True)
    assert_close(probs, expected)
    assert_close(context, np.einsum("bntk,bknh->btnh", expected, value))


def test_keys_may_be_held_with_heads_first():
    query, key, value, mask = make()
    held = [HeadsFirst(heads_first(tensor)) for tensor in (key, value)]
    for mine, other in zip(
        attend(query, *held, mask), attend(query, key, value, mask), strict=True
    ):
        np.testing.assert_array_equal(mine, other)


def test_probabilities_only_where_requested():
    assert attend(*make(), output_attentions=False)[1] is None


def test_a_query_that_may_attend_to_nothing_stays_finite():
    query, key, value, mask = make()
    mask[1, :, 2] = False
    context, probs = attend(query, key, value, mask)
    np.testing.assert_allclose(probs[1, :, 2], 1 / K, rtol=1e-6)
    assert_close(context[1, 2], tf.reduce_mean(value[1], axis=0))


def test_dropout_reaches_the_context_but_not_the_probabilities():
    plain, probs = attend(*make(), dropout_rate=0.5)
    dropped, same = attend(*make(), dropout_rate=0.5, seed=[3, 5])
    again, _ = attend(*make(), dropout_rate=0.5, seed=[3, 5])
    np.testing.assert_array_equal(probs, same)
    np.testing.assert_array_equal(dropped, again)
    assert np.abs(dropped - plain).max() > 0.1
