"""Attention of global tokens to the whole document (arXiv 2004.05150, section 3.1)."""

import functools
from typing import NamedTuple

import tensorflow as tf

from tf_led.ops import tensor_utils as blocks
from tf_led.ops.control_flow import choose_branch, in_xla
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import masked_softmax

# Under XLA the slots are the smallest of these sizes, or S, that holds every global
# token. Each size is compiled, so one not well below S is left out.
XLA_SLOT_SIZES = (16, 256)


class Slots(NamedTuple):
    """Where the global tokens are.

    `idx` int32[B, G] holds distinct positions of each row; `mask` bool[B, G] is True
    where that position is a global token, False in an unused slot.
    """

    idx: tf.Tensor
    mask: tf.Tensor


def find_slots(global_mask, num_slots):
    """Gathers the positions of global tokens, in order.

    Args:
        global_mask: bool[B, S]. True for global tokens.
        num_slots: int or int32[], G, at most S; global tokens beyond it are left out.

    Returns:
        Slots.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.global_attention import find_slots
        >>> mask = tf.constant([[False, True, False], [True, False, True]])
        >>> find_slots(mask, 2).idx.numpy().tolist()
        [[1, 0], [0, 2]]
    """
    # top_k puts the lower index first among equals.
    flags = tf.cast(global_mask, tf.int32)
    top = tf.math.top_k(flags, k=num_slots)
    return Slots(top.indices, top.values > 0)


def count_slots(global_mask):
    """Returns int32[], the largest number of global tokens in a row."""
    counts = tf.reduce_sum(tf.cast(global_mask, tf.int32), axis=1)
    return tf.reduce_max(tf.concat([counts, [0]], axis=0))


def with_slots(global_mask, function, tensors):
    """Calls `function` with enough slots for every global token.

    Args:
        global_mask: bool[B, S].
        function: takes Slots and then `tensors`; returns a float tensor whose shape
            does not depend on G. It uses no variables but through `tensors`.
        tensors: list of float tensors.

    Returns:
        What `function` returns. Outside XLA it is called once with exactly as many
        slots as needed; under XLA, where shapes are static, once for each of a few
        sizes, of which one runs.
    """
    num_global = count_slots(global_mask)
    if not in_xla():
        return function(find_slots(global_mask, num_global), *tensors)
    sizes = _xla_sizes(global_mask)
    branch = tf.reduce_sum(tf.cast(num_global > tf.stack(sizes), tf.int32))
    functions = [
        lambda *tensors, g=g: function(find_slots(global_mask, g), *tensors)
        for g in sizes
    ]
    return choose_branch(branch if len(sizes) > 1 else 0, functions, tensors)


def _xla_sizes(global_mask):
    """Sizes of which one holds every global token, rising, none above S."""
    source_len = global_mask.shape[1]
    if source_len is not None:
        worthwhile = [size for size in XLA_SLOT_SIZES if 4 * size <= source_len]
        return [*worthwhile, source_len]
    # Not known while TensorFlow traces (an input signature, `fit` on a generator), but
    # XLA compiles for one length at a time, where these are constants.
    source_len = tf.shape(global_mask)[1]
    return [*(tf.minimum(size, source_len) for size in XLA_SLOT_SIZES), source_len]


def take_slots(tokens, slots):
    """Gathers slots from tokens: [B, S, ...] -> [B, G, ...]."""
    return tf.gather(tokens, slots.idx, axis=1, batch_dims=1)


def put_slots(tokens, rows, slots):
    """Overwrites the global tokens of [B, S, ...] with rows [B, G, ...].

    An unused slot points at some token that is not global, which keeps its value.
    """
    used = slots.mask
    for _ in range(rows.shape.rank - 2):
        used = used[..., None]
    rows = tf.where(used, rows, take_slots(tokens, slots))
    batch_idx = tf.repeat(
        tf.range(tf.shape(slots.idx)[0])[:, None], tf.shape(slots.idx)[1], axis=1
    )
    return tf.tensor_scatter_nd_update(
        tokens, tf.stack([batch_idx, slots.idx], axis=-1), rows
    )


# Global tokens whose attention to all S tokens exists at a time.
MAX_CHUNK_LEN = 64


class Projection(NamedTuple):
    """A dense layer taken apart: kernel float[D, N, H] and bias float[N, H]."""

    kernel: tf.Tensor
    bias: tf.Tensor

    def __call__(self, hidden):
        """Projects [B, S, D] to [B, N, S, H]."""
        projected = tf.einsum("bsd,dnh->bnsh", hidden, self.kernel)
        return projected + self.bias[:, None, :]


def global_attention(
    query, hidden, key_projection, value_projection, *, key_mask, dropout_rate, seed
):
    """Attends from global tokens to all tokens that are not padding.

    With few global tokens neither keys nor values are computed: `q (W x)` is `(q W) x`,
    two products with G x N rows in place of two with S. Which way is cheaper is decided
    by G x N against D.

    Args:
        query: float[B, G, N, H], already scaled by 1/sqrt(H).
        hidden: float[B, S, D], what keys and values are made from.
        key_projection: Projection to global keys.
        value_projection: Projection to global values.
        key_mask: bool[B, S]. True for tokens that may be seen.
        dropout_rate: Python float, share of the attention dropped.
        seed: int32[2], or None for no dropout.

    Returns:
        context float[B, G, N, H].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.global_attention import Projection, global_attention
        >>> project = Projection(tf.random.normal([11, 3, 5]), tf.zeros([3, 5]))
        >>> context = global_attention(
        ...     tf.random.normal([2, 1, 3, 5]), tf.random.normal([2, 7, 11]), project,
        ...     project, key_mask=tf.ones([2, 7], tf.bool), dropout_rate=0.0, seed=None)
        >>> context.shape
        TensorShape([2, 1, 3, 5])
    """
    options = {"key_mask": key_mask, "dropout_rate": dropout_rate, "seed": seed}

    def few(query, hidden, *projections):
        return _attend_unprojected(query, hidden, *_pair(projections), **options)

    def many(query, hidden, *projections):
        key, value = (project(hidden) for project in _pair(projections))
        return _attend_projected(query, key, value, **options)

    is_many = _num_slots(query) * query.shape[2] > hidden.shape[-1]
    branch = int(is_many) if isinstance(is_many, bool) else tf.cast(is_many, tf.int32)
    tensors = [query, hidden, *key_projection, *value_projection]
    return choose_branch(branch, [few, many], tensors)


def global_attention_maps(
    query, hidden, key_projection, value_projection, *, key_mask, dropout_rate, seed
):
    """Does what `global_attention` does and keeps the attention map too.

    Args:
        query: as in `global_attention`, like all other arguments.
        hidden: see there.
        key_projection: see there.
        value_projection: see there.
        key_mask: see there.
        dropout_rate: see there.
        seed: see there.

    Returns:
        context float[B, G, N, H] and probs float[B, N, G, S], after dropout.
    """
    scores = tf.matmul(
        blocks.heads_first(query), key_projection(hidden), transpose_b=True
    )  # [B, N, G, S]
    probs = masked_softmax(scores, key_mask[:, None, None, :])
    probs = dropout(probs, dropout_rate, seed)
    return blocks.heads_first(tf.matmul(probs, value_projection(hidden))), probs


def _num_slots(query):
    """G as a Python int where it is static, else int32[]."""
    return tf.shape(query)[1] if query.shape[1] is None else query.shape[1]


def _pair(tensors):
    return Projection(*tensors[:2]), Projection(*tensors[2:])


def _attend_unprojected(query, hidden, key, value, *, key_mask, dropout_rate, seed):
    """Attends to the hidden states themselves; the projections move to the G side."""
    num_heads, num_slots = query.shape[2], _num_slots(query)
    unprojected = tf.einsum("bgnh,dnh->bngd", query, key.kernel)
    shape = tf.shape(unprojected)
    rows = tf.reshape(unprojected, [shape[0], -1, shape[3]])  # [B, N * G, D]
    scores = tf.matmul(rows, hidden, transpose_b=True)  # [B, N * G, S]
    probs = masked_softmax(scores, key_mask[:, None, :])
    probs = dropout(probs, dropout_rate, seed)
    mixed = tf.matmul(probs, hidden)
    mixed = tf.reshape(mixed, [shape[0], num_heads, num_slots, shape[3]])
    context = tf.einsum("bngd,dnh->bgnh", mixed, value.kernel)
    share = tf.reshape(tf.reduce_sum(probs, -1), shape[:3])  # 1 but for dropout
    context += tf.einsum("bng,nh->bgnh", share, value.bias)
    # The key's bias adds the same to all scores of a row, which softmax ignores: its
    # gradient is 0, not missing.
    return context + 0 * tf.reduce_sum(key.bias)


def _attend_projected(query, key, value, *, key_mask, dropout_rate, seed):
    """Attends to keys and values [B, N, S, H], some global tokens at a time."""
    num_slots = _num_slots(query)
    is_static = isinstance(num_slots, int)
    chunk_len = (min if is_static else tf.minimum)(num_slots, MAX_CHUNK_LEN)
    num_chunks = -(-num_slots // chunk_len)
    padded = blocks.pad_tokens(query, 0, num_chunks * chunk_len - num_slots, axis=1)
    chunks = blocks.split_tokens(padded, chunk_len, axis=1)  # [C, B, c, N, H]

    def attend(query, key, value, *, chunk):
        scores = tf.matmul(blocks.heads_first(query), key, transpose_b=True)
        probs = masked_softmax(scores, key_mask[:, None, None, :])
        probs = dropout(probs, dropout_rate, fold_seed(seed, chunk))
        return blocks.heads_first(tf.matmul(probs, value))

    context = tf.map_fn(
        # Only floats may be arguments of a recomputed function; the rest is captured.
        lambda part: tf.recompute_grad(functools.partial(attend, chunk=part[1]))(
            part[0], key, value
        ),
        (chunks, tf.range(num_chunks)),
        fn_output_signature=query.dtype,
        parallel_iterations=1,
    )
    return blocks.join_tokens(context, axis=1)[:, :num_slots]
