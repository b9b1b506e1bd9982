"""Attention of every token to its neighbours and to a few slots, linear in length.

A loop over blocks of queries: each block sees its own keys with a halo on either side
and the slots (the keys of global tokens) in front. Nothing of size S x S exists, and
the gradient recomputes a block's shares instead of keeping them (arXiv 2004.05150,
section 3.1).
"""

import functools

import tensorflow as tf

from tf_led.ops import blocks
from tf_led.ops.window_blocks import (
    Masks,
    attend_block,
    block_context,
    block_probs,
    choose_geometry,
    cut_block,
    prepare,
    window_offsets,
)
from tf_led.ops.window_loop import (
    block_gradients,
    block_range,
    map_blocks,
    parallel_blocks,
)


def window_attention(
    query,
    key,
    value,
    slot_key,
    slot_value,
    *,
    query_mask,
    key_mask,
    slot_mask,
    radius,
    scale=1.0,
    dropout_rate=0.0,
    seed=None,
):
    """Attends from every token to its window and to the slots, with one softmax.

    Args:
        query: float[B, S, N, H].
        key: float[B, S, N, H].
        value: float[B, S, N, H].
        slot_key: float[B, G, N, H], keys that every token sees; G may be 0.
        slot_value: float[B, G, N, H].
        query_mask: bool[B, S]. Rows where it is False give zeros.
        key_mask: bool[B, S]. Tokens that may be seen through the window: neither
            padding nor in a slot.
        slot_mask: bool[B, G]. Slots in use.
        radius: Python int >= 1; half of `LEDConfig.attention_window`.
        scale: Python float, factor of the scores: 1/sqrt(H), or 1 if the queries are
            scaled already.
        dropout_rate: Python float, share of the attention dropped.
        seed: int32[2], or None for no dropout.

    Returns:
        context float[B, S, N, H], dtype of `query`.

    Source: Longformer (arXiv 2004.05150), section 3.1.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.window_attention import window_attention
        >>> tokens, mask = tf.random.normal([2, 7, 3, 5]), tf.ones([2, 7], tf.bool)
        >>> context = window_attention(
        ...     tokens, tokens, tokens, tokens[:, :0], tokens[:, :0], query_mask=mask,
        ...     key_mask=mask, slot_mask=mask[:, :0], radius=2)
        >>> context.shape
        TensorShape([2, 7, 3, 5])
    """
    geometry = choose_geometry(radius)
    tensors, masks = prepare(
        (query, key, value, slot_key, slot_value),
        Masks(query_mask, key_mask, slot_mask),
        geometry,
    )
    attend_one = functools.partial(
        attend_block,
        geometry=geometry,
        scale=scale,
        dropout_rate=dropout_rate,
        seed=seed,
    )

    @tf.custom_gradient
    def attend(*tensors):
        context = map_blocks(attend_one, tensors, masks, geometry)
        return context, lambda upstream: block_gradients(
            attend_one, tensors, masks, upstream, geometry
        )

    return attend(*tensors)[:, : tf.shape(query)[1]]


def window_attention_maps(
    query,
    key,
    value,
    slot_key,
    slot_value,
    *,
    query_mask,
    key_mask,
    slot_mask,
    radius,
    scale=1.0,
    dropout_rate=0.0,
    seed=None,
):
    """Does what `window_attention` does and keeps the attention map too.

    Memory still grows linearly in S, but the whole map is held, and so is what its
    gradient needs.

    Args:
        query: as in `window_attention`, like all other arguments.
        key: see there.
        value: see there.
        slot_key: see there.
        slot_value: see there.
        query_mask: see there.
        key_mask: see there.
        slot_mask: see there.
        radius: see there.
        scale: see there.
        dropout_rate: see there.
        seed: see there.

    Returns:
        context float[B, S, N, H] and probs float[B, N, S, G + 2R + 1]: the slots first,
        then the window, the token itself at G + R. After dropout.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.window_attention import window_attention_maps
        >>> tokens, mask = tf.random.normal([2, 7, 3, 5]), tf.ones([2, 7], tf.bool)
        >>> _, probs = window_attention_maps(
        ...     tokens, tokens, tokens, tokens[:, :1], tokens[:, :1], query_mask=mask,
        ...     key_mask=mask, slot_mask=mask[:, :1], radius=2)
        >>> probs.shape
        TensorShape([2, 3, 7, 6])
    """
    geometry = choose_geometry(radius)
    tensors, masks = prepare(
        (query, key, value, slot_key, slot_value),
        Masks(query_mask, key_mask, slot_mask),
        geometry,
    )

    options = {"scale": scale, "dropout_rate": dropout_rate, "seed": seed}

    def attend(block):
        cut, cut_masks = cut_block(block, tensors, masks, geometry)
        probs = block_probs(block, cut, cut_masks, geometry, **options)
        query_mask = cut_masks.query[:, None, :, None]
        probs = tf.where(query_mask, probs, tf.zeros([], probs.dtype))
        return block_context(probs, cut), window_offsets(probs, geometry)

    dtype = query.dtype
    context, probs = tf.map_fn(
        attend,
        block_range(tensors[0], geometry),
        fn_output_signature=(dtype, dtype),
        parallel_iterations=parallel_blocks(),
    )
    source_len = tf.shape(query)[1]
    return (
        blocks.join_tokens(context, axis=1)[:, :source_len],
        blocks.join_tokens(probs, axis=2)[:, :, :source_len],
    )
