import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.ops.dense import (
    BATCH,
    HEADS,
    assert_close,
    dense_window,
    draw,
    gradients,
    make_window,
)
from tests.ops.graph_memory import kept_per_turn, largest_tensor
from tests.ops.graph_order import all_before
from tf_led.ops.local_attention import window_attention, window_attention_maps
from tf_led.testing import dense_led_attention

# Tokens, radius, slots.
SIZES = {
    "one_token": (1, 3, 0),
    "one_token_in_a_slot": (1, 3, 1),
    "even_blocks": (14, 7, 2),
    "uneven_blocks": (23, 5, 3),
    "one_block": (7, 7, 1),
    "window_beyond_the_end": (5, 11, 2),
    "nearest_neighbours": (11, 1, 13),
    "halo_larger_than_a_block": (307, 131, 2),
    "many_slots": (29, 3, 29),
}


def upstream_like(tensor):
    return draw(np.random.default_rng(7), *tensor.shape)


@pytest.mark.parametrize("name", SIZES)
def test_equals_dense_attention(name):
    source_len, radius, num_slots = SIZES[name]
    window = make_window(source_len, num_slots)
    options = {**window.masks, "radius": radius}
    expected = dense_window(*window.tensors, **options)
    assert_close(window_attention(*window.tensors, **options), expected)
    context, _ = window_attention_maps(*window.tensors, **options)
    assert_close(context, expected)


@pytest.mark.parametrize("name", SIZES)
def test_gradient_equals_autodiff_of_dense_attention(name):
    source_len, radius, num_slots = SIZES[name]
    window = make_window(source_len, num_slots, seed=3)
    options = {**window.masks, "radius": radius}
    upstream = upstream_like(window.tensors[0])
    _, mine = gradients(
        functools.partial(window_attention, **options), window.tensors, upstream
    )
    _, dense = gradients(
        functools.partial(dense_window, **options), window.tensors, upstream
    )
    for gradient, other in zip(mine, dense, strict=True):
        assert_close(gradient, other)


def test_equals_the_reference_with_its_maps():
    """`tf_led.testing`'s loops, over a row with, one without global tokens."""
    rng = np.random.default_rng(5)
    source_len, radius, global_idx = 23, 3, [2, 3, 17]
    query, key, value = (draw(rng, BATCH, source_len, HEADS, 5) for _ in range(3))
    global_mask = np.zeros([BATCH, source_len], bool)
    global_mask[0, global_idx] = True
    padding_mask = np.arange(source_len) < np.array([[source_len], [13]])
    slots = [tf.repeat(tokens[:1], BATCH, 0) for tokens in (key, value)]
    slots = [tf.gather(tokens, global_idx, axis=1) for tokens in slots]
    context, probs = window_attention_maps(
        query,
        key,
        value,
        *slots,
        query_mask=tf.constant(padding_mask),
        key_mask=tf.constant(padding_mask & ~global_mask),
        slot_mask=tf.constant([[True] * 3, [False] * 3]),
        radius=radius,
    )
    arrays = [tensor.numpy() for tensor in (query, key, value)]
    expected, expected_probs, _ = dense_led_attention(
        *arrays,
        *arrays,
        padding_mask=padding_mask,
        global_mask=global_mask,
        radius=radius,
    )
    local = ~global_mask  # Global rows are another function's.
    assert_close(context.numpy()[local], expected[local])
    by_token = np.moveaxis(probs.numpy(), 1, 2)
    assert_close(by_token[local], np.moveaxis(expected_probs, 1, 2)[local])


@pytest.mark.parametrize("name", ["uneven_blocks", "halo_larger_than_a_block"])
def test_maps_are_where_they_say(name):
    """The token itself at G + R, its left neighbour before it, nothing elsewhere."""
    source_len, radius, num_slots = SIZES[name]
    window = make_window(source_len, num_slots)
    options = {**window.masks, "radius": radius}
    context, probs = window_attention_maps(*window.tensors, **options)
    assert probs.shape == [BATCH, HEADS, source_len, num_slots + 2 * radius + 1]
    rows = tf.reduce_sum(probs, -1).numpy()
    query_mask = np.repeat(window.masks["query_mask"][:, None], HEADS, axis=1)
    np.testing.assert_allclose(rows, query_mask, atol=1e-5)
    _, _, value, _, slot_value = window.tensors
    value = np.pad(value, [(0, 0), (radius, radius), (0, 0), (0, 0)])
    neighbours = np.stack(
        [value[:, i : i + 2 * radius + 1] for i in range(source_len)], 1
    )
    slots = np.repeat(np.asarray(slot_value)[:, None], source_len, axis=1)
    values = np.concatenate([slots, neighbours], axis=2)  # [B, S, G + W, N, H]
    assert_close(np.einsum("bnsw,bswnh->bsnh", probs, values), context)


DROPOUT = {"dropout_rate": 0.4, "seed": tf.constant([3, 5])}


def test_dropout_drops_and_scales():
    window = make_window(23, 3)
    options = {**window.masks, "radius": 5}
    _, plain = window_attention_maps(*window.tensors, **options)
    _, probs = window_attention_maps(*window.tensors, **options, **DROPOUT)
    could = plain.numpy() > 1e-6
    kept = (probs.numpy() > 0)[could]
    assert abs(kept.mean() - 0.6) < 0.05
    np.testing.assert_allclose(
        probs.numpy()[could][kept], plain.numpy()[could][kept] / 0.6, rtol=1e-4
    )


def test_dropout_falls_differently_in_every_block():
    """Equal tokens: what differs between blocks is the dropout alone."""
    ones = tf.ones([1, 21, 1, 1])
    mask = tf.ones([1, 21], tf.bool)
    _, probs = window_attention_maps(
        ones,
        ones,
        ones,
        ones[:, :0],
        ones[:, :0],
        query_mask=mask,
        key_mask=mask,
        slot_mask=mask[:, :0],
        radius=7,
        **DROPOUT,
    )
    first, last = np.split(probs.numpy()[0, 0] > 0, 3)[1:]
    assert not np.array_equal(first[:, :8], last[:, :8])


def test_both_ways_drop_the_same_and_so_do_their_gradients():
    """The gradient of the one that keeps nothing recomputes the same dropout."""
    window = make_window(23, 3, seed=5)
    options = {**window.masks, "radius": 5, **DROPOUT}
    upstream = upstream_like(window.tensors[0])
    mine, gradient = gradients(
        functools.partial(window_attention, **options), window.tensors, upstream
    )
    other, with_maps = gradients(
        lambda *tensors: window_attention_maps(*tensors, **options)[0],
        window.tensors,
        upstream,
    )
    assert_close(mine, other)
    for one, two in zip(gradient, with_maps, strict=True):
        assert_close(one, two)


def test_the_gradient_of_the_maps():
    window = make_window(13, 2, seed=5)
    options = {**window.masks, "radius": 3}

    def self_share(query, key):
        tensors = [query, key, *window.tensors[2:]]
        return window_attention_maps(*tensors, **options)[1][..., 2 + 3]

    def dense_self_share(query, key):
        # Values that are one-hot by place return the shares themselves.
        places = tf.eye(13)[None, :, None, :] * tf.ones([BATCH, 1, HEADS, 1])
        slots = tf.zeros([BATCH, 2, HEADS, 13])
        tensors = [query, key, places, window.tensors[3], slots]
        shares = dense_window(*tensors, **options)
        return tf.transpose(tf.linalg.diag_part(tf.transpose(shares, [0, 2, 1, 3])))

    query, key = window.tensors[:2]
    upstream = draw(np.random.default_rng(3), BATCH, HEADS, 13)
    mine, gradient = gradients(self_share, [query, key], upstream)
    dense, expected = gradients(
        lambda *tensors: tf.transpose(dense_self_share(*tensors), [2, 1, 0]),
        [query, key],
        upstream,
    )
    assert_close(mine, dense)
    for one, two in zip(gradient, expected, strict=True):
        assert_close(one, two)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("bfloat16", 0.03), ("float16", 4e-3)]
)
def test_half_precision_stays_close(dtype, tolerance):
    window = make_window(23, 3, dtype=dtype)
    options = {**window.masks, "radius": 5}
    full = [tf.cast(tensor, tf.float32) for tensor in window.tensors]
    upstream = tf.cast(upstream_like(full[0]), dtype)
    mine, gradient = gradients(
        functools.partial(window_attention, **options), window.tensors, upstream
    )
    exact, expected = gradients(
        functools.partial(dense_window, **options), full, tf.cast(upstream, tf.float32)
    )
    assert mine.dtype == dtype
    assert_close(tf.cast(mine, tf.float32), exact, tolerance)
    for one, two in zip(gradient, expected, strict=True):
        assert one.dtype == dtype
        assert_close(tf.cast(one, tf.float32), two, 3 * tolerance)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_tokens_that_see_nothing_stay_finite(dtype):
    window = make_window(13, 2, dtype=dtype)
    masks = {**window.masks, "key_mask": tf.zeros([BATCH, 13], tf.bool)}
    masks["slot_mask"] = tf.zeros([BATCH, 2], tf.bool)
    result, gradient = gradients(
        functools.partial(window_attention, **masks, radius=3),
        window.tensors,
        tf.ones(window.tensors[0].shape, dtype),
    )
    for tensor in (result, *gradient):
        assert np.isfinite(tf.cast(tensor, tf.float32)).all()


def long_gradient(attend, source_len, radius):
    """Graph of a gradient over a document; H x N = 16."""
    spec = tf.TensorSpec([1, source_len, 2, 8], tf.float32)

    @tf.function(input_signature=[spec] * 3, autograph=False)
    def run(*tensors):
        mask = tf.ones([1, source_len], tf.bool)
        slots = [tensors[1][:, :3], tensors[2][:, :3]]
        options = {"query_mask": mask, "key_mask": mask, "slot_mask": mask[:, :3]}
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            context = attend(*tensors, *slots, **options, radius=radius)
        return tape.gradient(context, tensors)

    return run.get_concrete_function().graph


def test_the_gradient_recomputes_nothing_before_it_is_asked():
    spec = tf.TensorSpec([1, 41, 2, 7])

    @tf.function(input_signature=[spec] * 2, autograph=False)
    def run(tokens, upstream):
        masks = {"query_mask": tf.ones([1, 41], tf.bool)}
        masks |= {
            "key_mask": masks["query_mask"],
            "slot_mask": tf.ones([1, 0], tf.bool),
        }
        with tf.GradientTape() as tape:
            tape.watch(tokens)
            tensors = [tokens] * 3 + [tokens[:, :0]] * 2
            context = window_attention(*tensors, **masks, radius=5)
        upstream = tf.identity(upstream, name="upstream")
        return tape.gradient(context, tokens, output_gradients=upstream)

    graph = run.get_concrete_function().graph
    loops = [op for op in graph.get_operations() if "While" in op.type]
    forward, backward = sorted(loops, key=lambda op: op._id)
    assert not started_by("upstream", forward)
    assert started_by("upstream", backward) >= {"Identity", "Fill"}


def started_by(name, loop):
    """Types of what a loop starts from, counter and sums, that waits for `name`."""
    starts = [x.op for x in loop.inputs if x.op.type != "Placeholder"]
    return {op.type for op in starts if name in {one.name for one in all_before(op)}}


def test_memory_is_linear_in_the_length():
    """No tensor is larger than a few [S, D], and loops keep nothing for the gradient.

    4,096 tokens, 16 features, a window of 513: the whole map would be 4.2 million.
    """
    budget = 8 * 4096 * 16
    graph = long_gradient(window_attention, 4096, radius=256)
    assert largest_tensor(graph) <= budget
    assert kept_per_turn(graph) == 0


def test_the_memory_check_notices_a_kept_map():
    graph = long_gradient(
        lambda *tensors, **options: window_attention_maps(*tensors, **options)[0],
        4096,
        radius=256,
    )
    assert largest_tensor(graph) > 4096 * 513 * 2
    assert kept_per_turn(graph) > 0
