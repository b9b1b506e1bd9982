import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops.masks import (
    attention_probs,
    band_mask,
    causal_mask,
    mask_value,
    masked_softmax,
)


def drawn(mask):
    return ["".join("#" if seen else "." for seen in row) for row in mask.numpy()]


def test_band_mask():
    """Three queries, three keys on either side, two of them near enough."""
    assert drawn(band_mask(3, 3, 2)) == [
        ".#####...",
        "..#####..",
        "...#####.",
    ]


def test_band_mask_of_the_nearest():
    assert drawn(band_mask(2, 1, 1)) == ["###.", ".###"]


def test_causal_mask():
    assert drawn(causal_mask(4, 4)) == ["#...", "##..", "###.", "####"]


def test_causal_mask_after_earlier_keys():
    assert drawn(causal_mask(2, 5)) == ["####.", "#####"]
    assert drawn(causal_mask(tf.constant(1), tf.constant(3))) == ["###"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_mask_value_fits_and_hides(dtype):
    value = tf.constant(mask_value(dtype), dtype)
    assert np.isfinite(tf.cast(value + value, tf.float64))
    probs = tf.nn.softmax(tf.stack([value, tf.zeros([], dtype)]))
    assert tf.cast(probs, tf.float64).numpy().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_masked_softmax(dtype):
    scores = tf.constant([[1.0, 3.0, 2.0, 60_000.0]], dtype)
    probs = masked_softmax(scores, tf.constant([True, False, True, False]))
    assert probs.dtype == dtype
    low = 1 / (1 + np.e)
    expected = [[low, 0, 1 - low, 0]]
    np.testing.assert_allclose(tf.cast(probs, tf.float64), expected, rtol=2**-8)
    assert np.count_nonzero(tf.cast(probs, tf.float32)) == 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_row_that_may_attend_to_nothing_has_equal_probabilities(dtype):
    scores = tf.constant([[-3.0, 5.0, 7.0, 11.0]], dtype)
    probs = masked_softmax(scores, tf.zeros([1, 4], tf.bool))
    assert tf.cast(probs, tf.float32).numpy().tolist() == [[0.25] * 4]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_softmax_of_half_precision_loses_only_the_last_rounding(dtype, jit_compile):
    """Summed in bfloat16, 8,209 numbers near 1 would stop growing at 256."""
    scores = np.random.default_rng(0).standard_normal([3, 8209])
    scores = tf.cast(0.3 * scores, dtype)
    mask = tf.ones([1, 8209], tf.bool)
    softmax = tf.function(masked_softmax, jit_compile=jit_compile)
    probs = tf.cast(softmax(scores, mask), tf.float64).numpy()
    exact = tf.nn.softmax(tf.cast(scores, tf.float64)).numpy()
    one_rounding = 2**-8 if dtype == "bfloat16" else 2**-10
    np.testing.assert_allclose(probs, exact, rtol=one_rounding)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("run", ["eager", "graph", "xla"])
def test_attention_probs(dtype, run):
    """Scaled, masked and summed in one pass, or one after the other: the same."""
    rng = np.random.default_rng(1)
    query, key = (
        tf.cast(rng.standard_normal(shape), dtype)
        for shape in ([2, 3, 5, 7], [2, 3, 7, 11])
    )
    mask = tf.constant(rng.random([2, 1, 5, 11]) < 0.6)
    function = attention_probs
    if run != "eager":
        function = tf.function(attention_probs, jit_compile=run == "xla")
    probs = function(query, key, mask, 0.3)
    assert probs.dtype == dtype
    query, key = tf.cast(query, tf.float64), tf.cast(key, tf.float64)
    exact = masked_softmax(0.3 * tf.matmul(query, key), mask).numpy()
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6}[dtype]
    np.testing.assert_allclose(tf.cast(probs, tf.float64), exact, atol=tolerance)
    hidden = ~np.broadcast_to(mask, exact.shape)
    assert not tf.cast(probs, tf.float32).numpy()[hidden].any()


def test_products_of_float16_are_scaled_before_they_overflow():
    """300 x 300 x 7 is beyond float16, a hundredth of it is not."""
    query = tf.fill([1, 1, 1, 7], tf.constant(300, tf.float16))
    key = tf.stack([query[0, 0, 0], -query[0, 0, 0]], axis=1)[None, None]
    mask = tf.ones([1, 1, 1, 2], tf.bool)
    assert np.isinf(tf.matmul(query, key)).all()
    probs = attention_probs(query, key, mask, 0.01)
    assert probs.numpy().tolist() == [[[[1.0, 0.0]]]]
