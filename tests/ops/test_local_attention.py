import functools
import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

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
from tf_led.ops.local_attention import (
    Grid,
    kibibytes_of_block,
    local_attention,
    make_grid,
)
from tf_led.testing import dense_led_attention

# Tokens, radius, global tokens.
SIZES = {
    "one_token": (1, 3, 0),
    "one_global_token": (1, 3, 1),
    "even_blocks": (14, 7, 2),
    "uneven_blocks": (23, 5, 3),
    "one_block": (7, 7, 1),
    "window_beyond_the_end": (5, 11, 2),
    "nearest_neighbours": (11, 1, 13),
    "three_neighbouring_blocks": (307, 131, 2),
    "many_global_tokens": (29, 3, 29),
}
# A CPU's default, one block a step, some, all.
BOUNDS = {"loop": 0, "one": 1, "some": 60_000, "all": 1 << 30}


def attend(query, key, value, global_key, global_value, *, scale=1.0, **options):
    return local_attention(
        query,
        key,
        value,
        global_key=global_key,
        global_value=global_value,
        scale=scale,
        **options,
    )


def context_of(*tensors, **options):
    return attend(*tensors, **options)[0]


def with_probs(*tensors, **options):
    return attend(*tensors, output_attentions=True, **options)


def upstream_like(tensor):
    return draw(np.random.default_rng(7), *tensor.shape)


GROUPED = ["uneven_blocks", "three_neighbouring_blocks", "many_global_tokens"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bound"),
    [(name, "loop") for name in SIZES]
    + [(name, bound) for name in GROUPED for bound in ("some", "all")],
)
def test_equals_dense_attention_with_its_gradients(name, bound):
    source_len, radius, num_global = SIZES[name]
    window = make_window(source_len, num_global, seed=3)
    options = {**window.masks, "radius": radius}
    upstream = upstream_like(window.tensors[0])
    expected = gradients(
        functools.partial(dense_window, **options), window.tensors, upstream
    )
    options["max_bytes"] = BOUNDS[bound]
    mine = gradients(functools.partial(context_of, **options), window.tensors, upstream)
    assert_close(with_probs(*window.tensors, **options)[0], expected[0])
    assert_close(mine[0], expected[0])
    for gradient, other in zip(mine[1], expected[1], strict=True):
        assert_close(gradient, other)


@pytest.mark.slow
@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla_equal_eager(jit_compile, bound):
    """In a plain graph with every size unknown until it runs."""
    window = make_window(23, 3, seed=3)
    options = {**window.masks, "radius": 5, "max_bytes": BOUNDS[bound]}
    function = functools.partial(context_of, **options)

    def run(*tensors):
        return gradients(function, list(tensors), tensors[0])

    signature = [tf.TensorSpec([None, None, HEADS, 5])] * 5
    graph = tf.function(
        run,
        jit_compile=jit_compile,
        autograph=False,
        input_signature=None if jit_compile else signature,
    )
    for mine, eager in zip(
        tf.nest.flatten(graph(*window.tensors)),
        tf.nest.flatten(run(*window.tensors)),
        strict=True,
    ):
        assert_close(mine, eager)


@settings(max_examples=15)
@given(
    source_len=st.integers(1, 41),
    radius=st.integers(1, 13),
    num_global=st.integers(0, 7),
    kibibytes=st.integers(1, 200),
    seed=st.integers(0, 99),
)
def test_grouped_equals_ungrouped_equals_dense(
    source_len, radius, num_global, kibibytes, seed
):
    window = make_window(source_len, num_global, seed)
    options = {**window.masks, "radius": radius}
    grouped, probs = with_probs(*window.tensors, **options, max_bytes=kibibytes << 10)
    one_by_one, same = with_probs(*window.tensors, **options, max_bytes=1)
    assert_close(grouped, one_by_one)
    assert_close(probs, same)
    assert_close(grouped, dense_window(*window.tensors, **options))


@pytest.mark.parametrize(("max_bytes", "steps"), [(0, 1), (1, 5), (1 << 30, 1)])
def test_the_bound_says_how_many_steps_there_are(max_bytes, steps):
    window = make_window(23, 3)
    grid = make_grid(window.tensors[0], window.tensors[3], 5, max_bytes)
    assert (grid.num_steps, grid.num_blocks) == (steps, 5)


@pytest.mark.parametrize(
    ("radius", "grid"), [(61, (3, 2)), (127, (3, 1)), (512, (3, 1)), (23, (3, 5))]
)
def test_small_blocks_go_several_at_a_time(radius, grid):
    window = make_window(317, 3)
    found = make_grid(window.tensors[0], window.tensors[3], radius, 0)
    assert (found.num_steps, found.per_step) == grid
    assert found.num_blocks * found.block_len >= 317


def test_the_bound_counts_batch_heads_and_global_tokens():
    def kibibytes(batch, heads, num_global, dtype="float32"):
        query = tf.zeros([batch, 7, heads, 64], dtype)
        return kibibytes_of_block(
            query,
            tf.zeros([batch, num_global, heads, 64], dtype),
            Grid(128, 4, 512, 1, 1),
        )

    # 1,152 keys in the window, 4 x 128 scores and 2 x 64 features for each.
    assert kibibytes(1, 8, 0) == 1152 * (4 * 128 + 2 * 64) * 8 * 4 // 1024
    assert kibibytes(3, 8, 0) == 3 * kibibytes(1, 8, 0)
    assert kibibytes(1, 16, 0) == 2 * kibibytes(1, 8, 0)
    assert kibibytes(1, 8, 1152) == 2 * kibibytes(1, 8, 0)
    assert kibibytes(1, 8, 0, "bfloat16") == kibibytes(1, 8, 0) // 2


@pytest.mark.parametrize("max_bytes", [60_000, 1 << 30])
def test_a_batch_without_rows(max_bytes):
    """As a replica gets when the last batch is small."""
    empty = [tensor[:0] for tensor in make_window(23, 3).tensors]
    masks = {name: mask[:0] for name, mask in make_window(23, 3).masks.items()}
    run = functools.partial(context_of, **masks, radius=5, max_bytes=max_bytes)
    context, grads = gradients(run, empty, tf.zeros([0, 23, HEADS, 5]))
    assert context.shape == [0, 23, HEADS, 5]
    assert [grad.shape for grad in grads] == [tensor.shape for tensor in empty]


def test_equals_the_reference_with_its_probabilities():
    """`tf_led.testing`'s loops, over a row with, one without global tokens."""
    rng = np.random.default_rng(5)
    source_len, radius, global_idx = 23, 3, [2, 3, 17]
    query, key, value = (draw(rng, BATCH, source_len, HEADS, 5) for _ in range(3))
    global_mask = np.zeros([BATCH, source_len], bool)
    global_mask[0, global_idx] = True
    padding_mask = np.arange(source_len) < np.array([[source_len], [13]])
    of_globals = [tf.repeat(tokens[:1], BATCH, 0) for tokens in (key, value)]
    of_globals = [tf.gather(tokens, global_idx, axis=1) for tokens in of_globals]
    context, probs = with_probs(
        query,
        key,
        value,
        *of_globals,
        query_mask=tf.constant(padding_mask),
        key_mask=tf.constant(padding_mask & ~global_mask),
        global_key_mask=tf.constant([[True] * 3, [False] * 3]),
        radius=radius,
        scale=0.5,
        max_bytes=60_000,
    )
    arrays = [tensor.numpy() for tensor in (query, key, value)]
    arrays[0] = arrays[0] / 2
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


@pytest.mark.parametrize("name", ["uneven_blocks", "three_neighbouring_blocks"])
def test_probabilities_are_where_they_say(name):
    """The token itself at G + R, its left neighbour before it, nothing elsewhere."""
    source_len, radius, num_global = SIZES[name]
    window = make_window(source_len, num_global)
    options = {**window.masks, "radius": radius}
    context, probs = with_probs(*window.tensors, **options)
    assert probs.shape == [BATCH, HEADS, source_len, num_global + 2 * radius + 1]
    rows = tf.reduce_sum(probs, -1).numpy()
    query_mask = np.repeat(window.masks["query_mask"][:, None], HEADS, axis=1)
    np.testing.assert_allclose(rows, query_mask, atol=1e-5)
    _, _, value, _, global_value = window.tensors
    value = np.pad(value, [(0, 0), (radius, radius), (0, 0), (0, 0)])
    neighbours = np.stack(
        [value[:, i : i + 2 * radius + 1] for i in range(source_len)], 1
    )
    to_global = np.repeat(np.asarray(global_value)[:, None], source_len, axis=1)
    values = np.concatenate([to_global, neighbours], axis=2)  # [B, S, G + W, N, H]
    assert_close(np.einsum("bnsw,bswnh->bsnh", probs, values), context)


DROPOUT = {"dropout_rate": 0.4, "seed": tf.constant([3, 5])}


def test_dropout_reaches_the_context_but_not_the_probabilities():
    window = make_window(23, 3)
    options = {**window.masks, "radius": 5}
    context, probs = with_probs(*window.tensors, **options)
    dropped, same = with_probs(*window.tensors, **options, **DROPOUT)
    np.testing.assert_array_equal(probs, same)
    assert np.abs(dropped - context).max() > 0.1
    np.testing.assert_array_equal(
        dropped, context_of(*window.tensors, **options, **DROPOUT)
    )


def kept(source_len, radius, max_bytes):
    """Which probabilities are kept, by block: values are one-hot by place."""
    tokens = tf.ones([1, source_len, 1, 1])
    places = tf.eye(source_len)[None, :, None, :]
    mask = tf.ones([1, source_len], tf.bool)
    context = context_of(
        tokens,
        tokens,
        places,
        tokens[:, :0],
        places[:, :0],
        query_mask=mask,
        key_mask=mask,
        global_key_mask=mask[:, :0],
        radius=radius,
        max_bytes=max_bytes,
        **DROPOUT,
    )
    return context.numpy()[0, :, 0] > 0  # [S, S]


def test_dropout_drops_its_fraction_differently_in_every_block():
    dropped = kept(210, 7, 0)
    near = np.abs(np.subtract.outer(range(210), range(210))) <= 7
    assert abs(dropped[near].mean() - 0.6) < 0.05
    blocks = [dropped[i : i + 7, i - 7 : i + 14] for i in range(7, 196, 7)]
    assert len({block.tobytes() for block in blocks}) == len(blocks)


@pytest.mark.parametrize("bound", ["some", "all"])
def test_dropout_does_not_depend_on_how_blocks_are_grouped(bound):
    np.testing.assert_array_equal(kept(131, 7, BOUNDS[bound]), kept(131, 7, 0))


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_gradient_recomputes_the_same_dropout(bound):
    """The context is linear in the values: so its gradient tells what was kept."""
    window = make_window(23, 3, seed=5)
    options = {**window.masks, "radius": 5, "max_bytes": BOUNDS[bound], **DROPOUT}
    upstream = upstream_like(window.tensors[0])
    run = functools.partial(context_of, **options)
    context, grads = gradients(run, window.tensors, upstream)
    by_values = sum(tf.reduce_sum(grads[i] * window.tensors[i]) for i in (2, 4))
    assert_close(by_values, tf.reduce_sum(context * upstream), 1e-4)


def test_the_gradient_of_the_probabilities():
    window = make_window(13, 2, seed=5)
    options = {**window.masks, "radius": 3}

    def own_probability(query, key):
        tensors = [query, key, *window.tensors[2:]]
        return with_probs(*tensors, **options)[1][..., 2 + 3]  # [B, N, S]

    def dense_own_probability(query, key):
        # Values that are one-hot by place return the probabilities themselves.
        places = tf.eye(13)[None, :, None, :] * tf.ones([BATCH, 1, HEADS, 1])
        to_global = tf.zeros([BATCH, 2, HEADS, 13])
        tensors = [query, key, places, window.tensors[3], to_global]
        probs = dense_window(*tensors, **options)  # [B, S, N, S]
        return tf.linalg.diag_part(tf.transpose(probs, [0, 2, 1, 3]))

    query, key = window.tensors[:2]
    upstream = draw(np.random.default_rng(3), BATCH, HEADS, 13)
    mine, gradient = gradients(own_probability, [query, key], upstream)
    dense, expected = gradients(dense_own_probability, [query, key], upstream)
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
        functools.partial(context_of, **options), window.tensors, upstream
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
    masks["global_key_mask"] = tf.zeros([BATCH, 2], tf.bool)
    result, gradient = gradients(
        functools.partial(context_of, **masks, radius=3),
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
        to_global = [tensors[1][:, :3], tensors[2][:, :3]]
        options = {"query_mask": mask, "key_mask": mask, "global_key_mask": mask[:, :3]}
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            context = attend(*tensors, *to_global, **options, radius=radius)
        return tape.gradient(context, tensors)

    return run.get_concrete_function().graph


def test_the_gradient_recomputes_nothing_before_it_is_asked():
    spec = tf.TensorSpec([1, 41, 2, 7])

    @tf.function(input_signature=[spec] * 2, autograph=False)
    def run(tokens, upstream):
        masks = {"query_mask": tf.ones([1, 41], tf.bool)}
        masks |= {
            "key_mask": masks["query_mask"],
            "global_key_mask": tf.ones([1, 0], tf.bool),
        }
        with tf.GradientTape() as tape:
            tape.watch(tokens)
            tensors = [tokens] * 3 + [tokens[:, :0]] * 2
            context = context_of(*tensors, **masks, radius=5)
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

    4,096 tokens, 16 features, a window of 513: all probabilities would be 4.2 million.
    """
    budget = 8 * 4096 * 16
    graph = long_gradient(context_of, 4096, radius=256)
    assert largest_tensor(graph) <= budget
    assert kept_per_turn(graph) == 0


def test_the_memory_check_notices_what_a_loop_keeps():
    @tf.function(input_signature=[tf.TensorSpec([5, 7, 11])], autograph=False)
    def run(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            result = tf.map_fn(tf.nn.softmax, rows)
        return tape.gradient(result, rows)

    assert kept_per_turn(run.get_concrete_function().graph) >= 7 * 11


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["one", "some"])
def test_xla_knows_how_often_its_loops_run(bound):
    """Else a GPU would ask the host before every step."""
    window = make_window(41, 3)
    options = {**window.masks, "radius": 5, "max_bytes": BOUNDS[bound], **DROPOUT}

    def run(*tensors):
        return gradients(
            functools.partial(context_of, **options), list(tensors), tensors[0]
        )

    compiled = tf.function(run, jit_compile=True, autograph=False)
    hlo = compiled.experimental_get_compiler_ir(*window.tensors)(stage="optimized_hlo")
    loops = [line for line in hlo.splitlines() if re.search(r" while\(", line)]
    assert len(loops) >= 2
    assert [line for line in loops if "known_trip_count" not in line] == []
