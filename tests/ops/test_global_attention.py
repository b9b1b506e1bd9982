import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.ops.dense import assert_close, draw, gradients
from tests.ops.graph_memory import (
    kept_for_gradient,
    kept_per_turn,
    largest_tensor,
)
from tf_led.ops import global_attention as module
from tf_led.ops.global_attention import (
    Projected,
    count_global_tokens,
    find_global_tokens,
    global_attention,
    no_global_tokens,
    put_tokens,
    take_tokens,
    with_global_tokens,
)

MASK = np.array([[0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 1, 0]], bool)


def random_mask(counts, length, seed=0):
    rng = np.random.default_rng(seed)
    mask = np.zeros([len(counts), length], bool)
    for row, count in zip(mask, counts, strict=True):
        row[rng.choice(length, count, replace=False)] = True
    return mask


def test_finds_the_global_tokens_in_order():
    found = find_global_tokens(tf.constant(MASK), 3)
    assert found.mask.numpy().tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert found.idx[0, :2].numpy().tolist() == [1, 4]
    assert found.idx[2].numpy().tolist() == [0, 1, 3]


@pytest.mark.parametrize("num_global", [0, 1, 3, 31])
def test_positions_are_distinct(num_global):
    """What pads a row must not point at a global token, which would be put twice."""
    mask = random_mask([0, 1, min(num_global, 3), num_global], 31)
    found = find_global_tokens(tf.constant(mask), num_global)
    for row, idx, used in zip(mask, found.idx.numpy(), found.mask.numpy(), strict=True):
        assert len(set(idx)) == num_global
        np.testing.assert_array_equal(idx[used], np.flatnonzero(row)[:num_global])
        assert not row[idx[~used]].any()


def test_count_global_tokens():
    assert int(count_global_tokens(tf.constant(MASK))) == 3
    assert int(count_global_tokens(tf.constant(MASK[1:2]))) == 0
    assert int(count_global_tokens(tf.constant(MASK[:0]))) == 0


def test_take_and_put():
    tokens = tf.reshape(tf.range(30.0), [3, 5, 2])
    found = find_global_tokens(tf.constant(MASK), 4)
    taken = take_tokens(tokens, found).numpy()
    np.testing.assert_array_equal(taken[0, :2], tokens.numpy()[0, [1, 4]])
    others = tf.where(MASK[..., None], 0.0, tokens)
    put = put_tokens(others, -take_tokens(tokens, found), found)
    np.testing.assert_array_equal(put, np.where(MASK[..., None], -tokens, tokens))


def test_the_gradient_of_putting_tokens():
    others = tf.constant(np.where(MASK[..., None], 0.0, np.ones([3, 5, 2])), "float32")
    rows = tf.ones([3, 4, 2])
    found = find_global_tokens(tf.constant(MASK), 4)
    upstream = tf.reshape(tf.range(30.0), [3, 5, 2]) + 7
    (of_others, of_rows) = gradients(
        lambda others, rows: put_tokens(others, rows, found), [others, rows], upstream
    )[1]
    np.testing.assert_array_equal(of_others, upstream)
    expected = tf.gather(upstream, found.idx, batch_dims=1)
    np.testing.assert_array_equal(of_rows, expected * found.mask.numpy()[..., None])


def test_the_gradient_of_putting_tokens_keeps_none_of_them():
    found = find_global_tokens(tf.constant(MASK), 4)

    @tf.function
    def put(others, rows):
        return put_tokens(others, rows, found)

    @tf.function
    def both(others, rows):
        with tf.GradientTape() as tape:
            tape.watch([others, rows])
            result = put(others, rows)
        return tape.gradient(result, [others, rows])

    specs = tf.TensorSpec([3, None, 2]), tf.TensorSpec([3, 4, 2])
    graph = both.get_concrete_function(*specs).graph
    assert (3, None, 2) not in {x.shape for x in kept_for_gradient(graph)}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_gradient_of_taking_tokens(dtype):
    tokens = tf.cast(tf.reshape(tf.range(30.0), [3, 5, 2]), dtype)
    found = find_global_tokens(tf.constant(MASK), 3)
    _, (grad,) = gradients(
        lambda t: take_tokens(t, found), [tokens], tf.fill([3, 3, 2], tf.cast(7, dtype))
    )
    # Row 1 has no global token: its padding takes three others.
    assert grad.dtype == dtype
    np.testing.assert_array_equal(grad[0, :, 0], [7, 7, 0, 0, 7])
    assert tf.reduce_sum(grad[1]) == 42


def weighted_sum(mask, tokens):
    """The sum over global tokens of place times value, and the number of places."""

    def function(found, tokens):
        places = tf.cast(found.idx, tf.float32) * take_tokens(tokens, found)
        total = tf.reduce_sum(tf.where(found.mask, places, 0.0))
        return tf.stack([total, tf.cast(tf.shape(found.idx)[1], tf.float32)])

    return with_global_tokens(mask, function, [tokens])


def expected_weight(mask, tokens):
    return (np.arange(mask.shape[1]) * tokens * mask).sum()


@pytest.mark.parametrize("counts", [[0, 0], [1, 3], [0, 29]])
def test_outside_xla_there_are_as_many_places_as_needed(counts):
    mask, tokens = random_mask(counts, 29), np.ones([2, 29], "float32")
    graph = tf.function(weighted_sum)
    for call in (weighted_sum, graph):
        total, num_global = call(tf.constant(mask), tf.constant(tokens))
        assert num_global == max(counts)
        assert total == expected_weight(mask, tokens)


@pytest.mark.parametrize(
    ("length", "counts_and_sizes"),
    [
        (29, [(0, 29), (29, 29)]),
        (67, [(0, 16), (16, 16), (17, 67), (67, 67)]),
        (1031, [(1, 16), (131, 256), (256, 256), (257, 1031), (1031, 1031)]),
    ],
)
def test_under_xla_some_size_holds_them_all(length, counts_and_sizes):
    """One compilation serves every number of global tokens."""
    call = tf.function(weighted_sum, jit_compile=True)
    tokens = np.ones([2, length], "float32")
    for count, expected in counts_and_sizes:
        mask = random_mask([count, count // 2], length)
        total, num_global = call(tf.constant(mask), tf.constant(tokens))
        assert num_global == expected
        np.testing.assert_allclose(total, expected_weight(mask, tokens), rtol=1e-6)
    assert call.experimental_get_tracing_count() == 1


def test_under_xla_a_signature_may_leave_the_length_open():
    """As `fit` on a generator does."""
    signature = [tf.TensorSpec([None, None], dtype) for dtype in (tf.bool, tf.float32)]
    call = tf.function(weighted_sum, jit_compile=True, input_signature=signature)
    for length, count, expected in [(7, 3, 7), (67, 5, 16), (67, 19, 67)]:
        mask = random_mask([count, 0], length)
        total, num_global = call(mask, np.ones([2, length], "float32"))
        assert (total, num_global) == (mask[0] @ np.arange(length), expected)
    assert call.experimental_get_tracing_count() == 1


B, S, D, N, H = 2, 23, 13, 3, 5
SCALE = 0.7
# 12 and 201 rows of scores against 13 features; 67 tokens are two chunks.
NUM_GLOBAL = {"few": 4, "many": 7, "chunks": 67}
SEEN = np.random.default_rng(0).random([B, S]) < 0.7


def make(num_global, source_len=S, dtype="float32"):
    """Queries, hidden states, and kernel and bias of keys and values."""
    rng = np.random.default_rng(num_global)
    shapes = [[B, num_global, N, H], [B, source_len, D], *[[D, N, H], [N, H]] * 2]
    tensors = [draw(rng, *shape, dtype=dtype) for shape in shapes]
    tensors[2], tensors[4] = tensors[2] / D**0.5, tensors[4] / D**0.5
    return tensors


def with_probs(query, hidden, *weights, **options):
    options = {
        "attention_mask": tf.constant(SEEN),
        "scale": SCALE,
        "output_attentions": True,
    } | options
    key, value = Projected(hidden, *weights[:2]), Projected(hidden, *weights[2:])
    return global_attention(query, key, value, **options)


def attend(*tensors, **options):
    return with_probs(*tensors, output_attentions=False, **options)[0]


def dense(query, hidden, key_kernel, key_bias, value_kernel, value_bias):
    """Keys and values first, then one matrix of probabilities; also returned."""
    key = tf.einsum("bsd,dnh->bsnh", hidden, key_kernel) + key_bias
    value = tf.einsum("bsd,dnh->bsnh", hidden, value_kernel) + value_bias
    scores = SCALE * tf.einsum("bgnh,bsnh->bngs", query, key)
    probs = tf.nn.softmax(tf.where(SEEN[:, None, None, :], scores, -1e30))
    return tf.einsum("bngs,bsnh->bgnh", probs, value), probs


@pytest.mark.parametrize("way", NUM_GLOBAL)
def test_equals_dense_attention_with_its_gradients(way):
    tensors = make(NUM_GLOBAL[way])
    upstream = draw(np.random.default_rng(1), *tensors[0].shape)
    mine, gradient = gradients(attend, tensors, upstream)
    exact, expected = gradients(lambda *t: dense(*t)[0], tensors, upstream)
    assert_close(mine, exact)
    largest = max(np.abs(one).max() for one in expected)
    for one, other in zip(gradient, expected, strict=True):
        # The key's bias has a gradient of 0, but for rounding.
        error = np.abs(one - other).max()
        assert error <= 1e-5 * np.abs(other).max() + 1e-6 * largest


@pytest.mark.parametrize("num_global", [4, 67])
def test_probabilities(num_global):
    tensors = make(num_global)
    context, probs = with_probs(*tensors)
    exact, expected = dense(*tensors)
    assert_close(context, exact)
    assert_close(probs, expected)


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
    for num_global in [0, 1, 4, 7, 67]:
        tensors = make(num_global)
        upstream = tf.ones(tensors[0].shape)
        mine, gradient = gradients(call, tensors, upstream)
        exact, expected = gradients(lambda *t: dense(*t)[0], tensors, upstream)
        assert_close(mine, exact)
        assert_close(gradient[1], expected[1])
        assert_close(gradient[4], expected[4])
    assert call.experimental_get_tracing_count() == 1


DROPOUT = {"dropout_rate": 0.4, "seed": tf.constant([3, 5])}


@pytest.mark.parametrize("way", NUM_GLOBAL)
def test_dropout_is_the_same_in_the_gradient(way):
    """Without values' kernels the context is linear in the biases: what was kept."""
    tensors = make(NUM_GLOBAL[way])
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


@pytest.mark.parametrize("way", NUM_GLOBAL)
def test_the_gradient_under_dropout_is_that_of_the_function(way):
    """By finite differences, along one direction of all arguments at once."""
    tensors = make(NUM_GLOBAL[way])
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


def test_dropout_reaches_the_context_but_not_the_probabilities():
    tensors = make(4)
    plain, probs = with_probs(*tensors)
    context, same = with_probs(*tensors, **DROPOUT)
    np.testing.assert_array_equal(probs, same)
    assert np.abs(context - plain).max() > 0.1
    assert_close(context, attend(*tensors, **DROPOUT))


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("bfloat16", 0.05), ("float16", 0.01)]
)
@pytest.mark.parametrize("way", NUM_GLOBAL)
def test_half_precision_stays_close(way, dtype, tolerance):
    tensors = make(NUM_GLOBAL[way], dtype=dtype)
    context = attend(*tensors)
    exact, _ = dense(*(tf.cast(tensor, tf.float32) for tensor in tensors))
    assert context.dtype == dtype
    assert_close(tf.cast(context, tf.float32), exact, tolerance)


@pytest.mark.parametrize("way", NUM_GLOBAL)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_document_of_padding_stays_finite(way, dtype):
    tensors = make(NUM_GLOBAL[way], dtype=dtype)
    nothing = functools.partial(attend, attention_mask=tf.zeros([B, S], tf.bool))
    context, gradient = gradients(nothing, tensors, tf.ones(tensors[0].shape, dtype))
    for tensor in (context, *gradient):
        assert np.isfinite(tf.cast(tensor, tf.float32)).all()


def test_memory_is_bounded_by_chunks():
    """Of 1,024 global tokens, a chunk's scores over the document exist at a time."""
    num_global, source_len = 1024, 2048
    tensors = make(num_global, source_len)

    @tf.function(autograph=False)
    def run(*tensors):
        mask = tf.ones([B, source_len], tf.bool)
        _, gradient = gradients(
            functools.partial(attend, attention_mask=mask), list(tensors), None
        )
        return gradient

    specs = [tf.TensorSpec(tensor.shape) for tensor in tensors]
    graph = run.get_concrete_function(*specs).graph
    chunk = B * N * module.MAX_CHUNK_LEN * source_len
    assert largest_tensor(graph) <= chunk < B * N * num_global * source_len / 8
    assert kept_per_turn(graph) <= 2 * B * N * H * module.MAX_CHUNK_LEN


def test_no_global_tokens():
    none = no_global_tokens(tf.constant(MASK))
    assert none.idx.shape == none.mask.shape == [3, 0]
    assert (none.idx.dtype, none.mask.dtype) == (tf.int32, tf.bool)


def test_a_projection_stands_for_what_it_computes():
    _, hidden, kernel, bias, *_ = make(4)
    expected = tf.einsum("bsd,dnh->bsnh", hidden, kernel) + bias
    assert_close(Projected(hidden, kernel, bias).compute(), expected)
