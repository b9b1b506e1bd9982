"""Attention of global tokens to the whole document (arXiv 2004.05150, section 3.1)."""

import functools
from typing import NamedTuple

import tensorflow as tf

from tf_led.ops import blocks
from tf_led.ops.branches import choose_branch
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import masked_softmax

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
