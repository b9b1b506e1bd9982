"""Attention of T queries to K keys, every one of which a mask allows or not."""

from typing import NamedTuple

import tensorflow as tf

from tf_led.ops.dropout import dropout
from tf_led.ops.masks import masked_softmax
from tf_led.ops.tensor_utils import heads_first


class HeadsFirst(NamedTuple):
    """Stands for float[B, K, N, H] and holds it as float[B, N, K, H].

    Products need keys and values so. A cache keeps them so, and none is transposed when
    a token is generated.
    """

    tensor: tf.Tensor


def full_attention(
    query,
    key,
    value,
    *,
    attention_mask,
    scale,
    dropout_rate=0.0,
    seed=None,
    output_attentions=False,
):
    """Attends from every query to every key that the mask allows.

    Args:
        query: float[B, T, N, H].
        key: float[B, K, N, H], or `HeadsFirst`.
        value: float[B, K, N, H], or `HeadsFirst`.
        attention_mask: bool that broadcasts to [B, N, T, K]. True = may be attended to.
            A query that may attend to nothing attends to all keys equally.
        scale: Python float, factor of the products of queries and keys: 1/sqrt(H).
        dropout_rate: Python float, fraction of the probabilities dropped.
        seed: int32[2], or None for no dropout.
        output_attentions: Python bool, whether to return the probabilities.

    Returns:
        context float[B, T, N, H], and None or attention_probs float[B, N, T, K], before
        dropout.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.full_attention import full_attention
        >>> query, key = tf.zeros([1, 1, 1, 2]), tf.zeros([1, 4, 1, 2])
        >>> mask = tf.constant([True, True, False, False])
        >>> context, attention_probs = full_attention(
        ...     query, key, key, attention_mask=mask, scale=1.0, output_attentions=True)
        >>> attention_probs.numpy().tolist()
        [[[[0.5, 0.5, 0.0, 0.0]]]]
    """
    key, value = _held_heads_first(key), _held_heads_first(value)  # [B, N, K, H]
    query = heads_first(query * scale)
    scores = tf.matmul(query, key, transpose_b=True)  # [B, N, T, K]
    probs = masked_softmax(scores, attention_mask)
    context = tf.matmul(dropout(probs, dropout_rate, seed), value)
    return heads_first(context), probs if output_attentions else None


def _held_heads_first(tokens):
    return tokens.tensor if isinstance(tokens, HeadsFirst) else heads_first(tokens)
