import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.ops.dense import assert_close, draw, gradients
from tests.ops.graph_memory import kept_per_turn, largest_tensor
from tf_led.ops import global_attention as module
from tf_led.ops.global_attention import (
    Projection,
    global_attention,
    global_attention_maps,
)

B, S, D, N, H = 2, 23, 13, 3, 5
# 12 and 201 rows of scores against 13 features; 67 tokens are two chunks.
NUM_SLOTS = {"few": 4, "many": 7, "chunks": 67}
MASK = np.random.default_rng(0).random([B, S]) < 0.7


def make(num_slots, source_len=S, dtype="float32"):
    """Queries, hidden states, and kernel and bias of keys and values."""
    rng = np.random.default_rng(num_slots)
    shapes = [[B, num_slots, N, H], [B, source_len, D], *[[D, N, H], [N, H]] * 2]
    tensors = [draw(rng, *shape, dtype=dtype) for shape in shapes]
    tensors[2], tensors[4] = tensors[2] / D**0.5, tensors[4] / D**0.5
    return tensors


def attend(*tensors, function=global_attention, **options):
    query, hidden, *projections = tensors
    options = {
        "key_mask": tf.constant(MASK),
        "dropout_rate": 0.0,
        "seed": None,
    } | options
    key, value = Projection(*projections[:2]), Projection(*projections[2:])
    return function(query, hidden, key, value, **options)


def dense(query, hidden, key_kernel, key_bias, value_kernel, value_bias):
    """Keys and values first, then one matrix of shares; also returned."""
    key = tf.einsum("bsd,dnh->bsnh", hidden, key_kernel) + key_bias
    value = tf.einsum("bsd,dnh->bsnh", hidden, value_kernel) + value_bias
    scores = tf.einsum("bgnh,bsnh->bngs", query, key)
    shares = tf.nn.softmax(tf.where(MASK[:, None, None, :], scores, -1e30))
    return tf.einsum("bngs,bsnh->bgnh", shares, value), shares


@pytest.mark.parametrize("way", NUM_SLOTS)
def test_equals_dense_attention_with_its_gradients(way):
    tensors = make(NUM_SLOTS[way])
    upstream = draw(np.random.default_rng(1), *tensors[0].shape)
    mine, gradient = gradients(attend, tensors, upstream)
    exact, expected = gradients(lambda *t: dense(*t)[0], tensors, upstream)
    assert_close(mine, exact)
    largest = max(np.abs(one).max() for one in expected)
    for one, other in zip(gradient, expected, strict=True):
        # The key's bias has a gradient of 0, but for rounding.
        error = np.abs(one - other).max()
        assert error <= 1e-5 * np.abs(other).max() + 1e-6 * largest


@pytest.mark.parametrize("num_slots", [4, 67])
def test_maps(num_slots):
    tensors = make(num_slots)
    context, shares = attend(*tensors, function=global_attention_maps)
    exact, expected = dense(*tensors)
    assert_close(context, exact)
    assert_close(shares, expected)


def test_both_ways_give_the_same():
    """Four global tokens go the one way, the same four twice go the other."""
    query, *rest = make(4)
    few = attend(query, *rest)
    many = attend(tf.concat([query, query], 1), *rest)
    assert_close(few, many[:, :4])
    assert_close(few, many[:, 4:])


def test_in_a_graph_the_number_of_global_tokens_is_data():
    """Of one trace, either way is taken; a tape outside sees its gradient."""
    specs = [tf.TensorSpec([None, None, N, H]), tf.TensorSpec([None, None, D])]
    specs += [tf.TensorSpec(tensor.shape) for tensor in make(1)[2:]]
    call = tf.function(attend, input_signature=specs, autograph=False)
    for num_slots in [0, 1, 4, 7, 67]:
        tensors = make(num_slots)
        upstream = tf.ones(tensors[0].shape)
        mine, gradient = gradients(call, tensors, upstream)
        exact, expected = gradients(lambda *t: dense(*t)[0], tensors, upstream)
        assert_close(mine, exact)
        assert_close(gradient[1], expected[1])
        assert_close(gradient[4], expected[4])
    assert call.experimental_get_tracing_count() == 1


DROPOUT = {"dropout_rate": 0.4, "seed": tf.constant([3, 5])}


@pytest.mark.parametrize("way", NUM_SLOTS)
def test_dropout_is_the_same_in_the_gradient(way):
    """Without values' kernels the context is linear in the biases: the kept share."""
    tensors = make(NUM_SLOTS[way])
    tensors[4] = tf.zeros_like(tensors[4])
    tensors[5] = tf.ones_like(tensors[5])
    upstream = draw(np.random.default_rng(1), *tensors[0].shape)
    function = functools.partial(attend, **DROPOUT)
    kept, gradient = gradients(function, tensors, upstream)
    assert np.abs(kept - 1).max() > 0.1
    np.testing.assert_array_equal(kept, function(*tensors))
    np.testing.assert_allclose(
        gradient[5], tf.reduce_sum(upstream * kept, [0, 1]), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("way", NUM_SLOTS)
def test_the_gradient_under_dropout_is_that_of_the_function(way):
    """By finite differences, along one direction of all arguments at once."""
    tensors = make(NUM_SLOTS[way])
    rng = np.random.default_rng(2)
    upstream = draw(rng, *tensors[0].shape)
    direction = [draw(rng, *tensor.shape) for tensor in tensors]
    _, gradient = gradients(functools.partial(attend, **DROPOUT), tensors, upstream)
    slope = sum(
        float(tf.reduce_sum(one * two))
        for one, two in zip(gradient, direction, strict=True)
    )

    def value(step):
        moved = [t + step * d for t, d in zip(tensors, direction, strict=True)]
        context = tf.cast(attend(*moved, **DROPOUT), tf.float64)
        return float(tf.reduce_sum(context * tf.cast(upstream, tf.float64)))

    step = 1e-3
    measured = (value(step) - value(-step)) / (2 * step)
    assert abs(measured - slope) <= 0.01 * max(abs(slope), 10)


def test_the_maps_show_the_dropout():
    tensors = make(4)
    plain, shares = attend(*tensors, function=global_attention_maps)
    context, dropped = attend(*tensors, function=global_attention_maps, **DROPOUT)
    assert np.abs(context - plain).max() > 0.1
    kept = dropped.numpy() > 0
    assert 0.5 < kept[shares.numpy() > 0].mean() < 0.7
    assert_close(dropped.numpy()[kept], shares.numpy()[kept] / 0.6)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("bfloat16", 0.05), ("float16", 0.01)]
)
@pytest.mark.parametrize("way", NUM_SLOTS)
def test_half_precision_stays_close(way, dtype, tolerance):
    tensors = make(NUM_SLOTS[way], dtype=dtype)
    context = attend(*tensors)
    exact, _ = dense(*(tf.cast(tensor, tf.float32) for tensor in tensors))
    assert context.dtype == dtype
    assert_close(tf.cast(context, tf.float32), exact, tolerance)


@pytest.mark.parametrize("way", NUM_SLOTS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_document_of_padding_stays_finite(way, dtype):
    tensors = make(NUM_SLOTS[way], dtype=dtype)
    nothing = functools.partial(attend, key_mask=tf.zeros([B, S], tf.bool))
    context, gradient = gradients(nothing, tensors, tf.ones(tensors[0].shape, dtype))
    for tensor in (context, *gradient):
        assert np.isfinite(tf.cast(tensor, tf.float32)).all()


def test_memory_is_bounded_by_chunks():
    """Of 1,024 global tokens, a chunk's shares over the document exist at a time."""
    num_slots, source_len = 1024, 2048
    tensors = make(num_slots, source_len)

    @tf.function(autograph=False)
    def run(*tensors):
        mask = tf.ones([B, source_len], tf.bool)
        _, gradient = gradients(
            functools.partial(attend, key_mask=mask), list(tensors), None
        )
        return gradient

    specs = [tf.TensorSpec(tensor.shape) for tensor in tensors]
    graph = run.get_concrete_function(*specs).graph
    chunk = B * N * module.MAX_CHUNK_LEN * source_len
    assert largest_tensor(graph) <= chunk < B * N * num_slots * source_len / 8
    assert kept_per_turn(graph) <= 2 * B * N * H * module.MAX_CHUNK_LEN
