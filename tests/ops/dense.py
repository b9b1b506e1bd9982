"""Attention with every score at once, in TensorFlow: it can be differentiated."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

BATCH, HEADS, HEAD_DIM = 2, 3, 5
HIDDEN_SCORE = -1e30


class Window(NamedTuple):
    """Arguments of `local_attention`: float tensors in order, and masks by name."""

    tensors: list
    masks: dict


def draw(rng, *shape, dtype="float32"):
    """Values of large spread: attention is far from uniform."""
    return tf.constant(1.7 * rng.standard_normal(shape), dtype)


def make_window(source_len, num_global, seed=0, dtype="float32"):
    """Draws queries, keys and values, padding, global tokens and rows with fewer."""
    rng = np.random.default_rng(seed)
    tokens = [BATCH, source_len, HEADS, HEAD_DIM]
    global_tokens = [BATCH, num_global, HEADS, HEAD_DIM]
    tensors = [
        draw(rng, *shape, dtype=dtype)
        for shape in (tokens, tokens, tokens, global_tokens, global_tokens)
    ]
    is_real = rng.random([BATCH, source_len]) < 0.8
    is_real[:, source_len // 2] = True
    global_key_mask = rng.random([BATCH, num_global]) < 0.7
    global_key_mask[:, :1] = True
    is_real[0] = True
    seen = rng.random(is_real.shape) < 0.9
    masks = {
        "query_mask": tf.constant(is_real),
        "key_mask": tf.constant(is_real & (seen | (num_global == 0))),
        "global_key_mask": tf.constant(global_key_mask),
    }
    return Window(tensors, masks)


def dense_window(
    query,
    key,
    value,
    global_key,
    global_value,
    *,
    query_mask,
    key_mask,
    global_key_mask,
    radius,
):
    """What `local_attention` gives, from one [S, G + S] matrix of scores."""
    keys, values = tf.concat([global_key, key], 1), tf.concat([global_value, value], 1)
    scores = tf.einsum("bsnh,btnh->bnst", query, keys)
    position = tf.range(tf.shape(query)[1])
    near = tf.abs(position[:, None] - position) <= radius
    seen = near & key_mask[:, None, :]  # [B, S, S]
    to_global = tf.repeat(global_key_mask[:, None, :], tf.shape(query)[1], axis=1)
    mask = tf.concat([to_global, seen], 2)[:, None]
    probs = tf.nn.softmax(tf.where(mask, scores, HIDDEN_SCORE))
    probs = tf.where(query_mask[:, None, :, None], probs, 0.0)
    return tf.einsum("bnst,btnh->bsnh", probs, values)


def gradients(function, tensors, upstream):
    """The result, and the gradient of each tensor."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return result, tape.gradient(
        result, tensors, upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def assert_close(mine, other, tolerance=1e-5):
    """Largest difference over the largest value."""
    mine, other = np.asarray(mine, "float64"), np.asarray(other, "float64")
    assert mine.shape == other.shape
    assert np.isfinite(mine).all()
    scale = max(np.abs(other).max(initial=0), 1e-3)
    assert np.abs(mine - other).max(initial=0) <= tolerance * scale
