"""Attention of every token to its neighbours and to a few slots, linear in length.

A loop over blocks of queries: each block sees its own keys with a halo on either side
and the slots (the keys of global tokens) in front. Nothing of size S x S exists, and
the gradient recomputes a block's shares instead of keeping them (arXiv 2004.05150,
section 3.1).
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from tf_led.ops import tensor_utils as blocks
from tf_led.ops.control_flow import wait_for
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import band_mask, masked_shares

MAX_BLOCK_LEN = 128


class Masks(NamedTuple):
    """Bool masks: query [B, S'], key [B, halo + S' + halo], slot [B, G]."""

    query: tf.Tensor
    key: tf.Tensor
    slot: tf.Tensor


class Geometry(NamedTuple):
    """Python ints: queries in a block, keys on either side of it, positions seen."""

    block_len: int
    halo: int
    radius: int

    @property
    def reach(self):
        """Keys that a block may see, slots apart."""
        return self.block_len + 2 * self.halo


def choose_geometry(radius):
    """Returns the Geometry for windows of `radius` positions on either side."""
    block_len = min(MAX_BLOCK_LEN, radius)
    return Geometry(block_len, -(-radius // block_len) * block_len, radius)


def prepare(tensors, masks, geometry):
    """Pads to whole blocks and gives keys and values their halo and room for slots.

    Values have their heads first, [B, N, S, H]; keys are transposed as well, [B, N, H,
    S]: that spares each block's product a transposition.
    """
    query, key, value, slot_key, slot_value = tensors
    after = -tf.shape(query)[1] % geometry.block_len
    before, beyond = geometry.halo, geometry.halo + after
    room = beyond + tf.shape(slot_key)[1]
    tensors = (
        blocks.pad_tokens(query, 0, after, axis=1),
        blocks.pad_tokens(blocks.tokens_last(key), before, room, axis=3),
        blocks.pad_tokens(blocks.heads_first(value), before, room, axis=2),
        blocks.tokens_last(slot_key),
        blocks.heads_first(slot_value),
    )
    masks = Masks(
        blocks.pad_tokens(masks.query, 0, after, axis=1),
        blocks.pad_tokens(masks.key, before, beyond, axis=1),
        masks.slot,
    )
    return tensors, masks


def cut_block(block, tensors, masks, geometry):
    """Takes block number `block` out of what `prepare` made: its tensors and masks.

    The tensors are the block's queries, and the keys and values that it sees: its
    window, and the slots behind it.
    """
    query, key, value, slot_key, slot_value = tensors
    start, block_len, reach = (
        block * geometry.block_len,
        geometry.block_len,
        geometry.reach,
    )
    cut = (
        blocks.take_tokens(query, start, block_len, axis=1),
        _take_with_slots(key, start, reach, slot_key, axis=3),
        _take_with_slots(value, start, reach, slot_value, axis=2),
    )
    cut_masks = Masks(
        blocks.take_tokens(masks.query, start, block_len, axis=1),
        blocks.take_tokens(masks.key, start, reach, axis=1),
        masks.slot,
    )
    return cut, cut_masks


def _take_with_slots(tensor, start, reach, slots, axis):
    """Takes a window of `reach` tokens, and puts the slots behind it."""
    num_slots = slots.shape[axis]
    if num_slots == 0:
        return blocks.take_tokens(tensor, start, reach, axis)
    num_slots = tf.shape(slots)[axis] if num_slots is None else num_slots
    taken = blocks.take_tokens(tensor, start, reach + num_slots, axis)
    # Overwrites the copy just made; joining would copy all of it again.
    return blocks.overwrite_tokens(taken, slots, reach, axis)


def block_probs(block, cut, masks, geometry, *, scale, dropout_rate, seed):
    """Computes a block's shares: float[B, N, b, reach + G], slots last."""
    query, seen_keys, _ = cut
    band = band_mask(geometry.block_len, geometry.halo, geometry.radius)
    seen = band & masks.key[:, None, :]  # [B, b, reach]
    slot = tf.repeat(masks.slot[:, None, :], geometry.block_len, axis=1)
    visible = tf.concat([seen, slot], axis=2)[:, None]
    probs = masked_shares(blocks.heads_first(query), seen_keys, visible, scale)
    return dropout(probs, dropout_rate, fold_seed(seed, block))


def block_context(probs, cut):
    """Mixes values by shares: float[B, b, N, H]."""
    return tf.transpose(tf.matmul(probs, cut[2]), [0, 2, 1, 3])  # [B, b, N, H]


def attend_block(block, cut, masks, *, geometry, scale, dropout_rate, seed):
    """Computes a block's context float[B, b, N, H], zeros where a query is masked."""
    probs = block_probs(
        block,
        cut,
        masks,
        geometry,
        scale=scale,
        dropout_rate=dropout_rate,
        seed=seed,
    )
    context = block_context(probs, cut)
    return tf.where(masks.query[..., None, None], context, tf.zeros([], context.dtype))


def window_offsets(probs, geometry):
    """Turns keys of a block into offsets, slots in front.

    [B, N, b, reach + G] -> [B, N, b, G + 2R + 1].
    """
    num_slots = tf.shape(probs)[3] - geometry.reach
    keys, slots = tf.split(probs, [geometry.reach, num_slots], axis=3)
    query_idx = tf.range(geometry.block_len)[:, None]
    offset = tf.range(-geometry.radius, geometry.radius + 1)[None, :]
    key_idx = query_idx * geometry.reach + query_idx + offset + geometry.halo
    shape = tf.shape(keys)
    flat = tf.reshape(keys, [shape[0], shape[1], -1])
    return tf.concat([slots, tf.gather(flat, key_idx, axis=2)], axis=3)


# Blocks in flight at a time: two keep both cores busy while a third is being cut.
PARALLEL_BLOCKS = 4


def parallel_blocks():
    """Returns how many blocks to have in flight; eager execution knows one."""
    return 1 if tf.executing_eagerly() else PARALLEL_BLOCKS


def block_range(query, geometry):
    """Returns int32[C], the numbers of the blocks of query [B, C * b, N, H]."""
    return tf.range(tf.shape(query)[1] // geometry.block_len)


def map_blocks(attend_block, tensors, masks, geometry):
    """Runs `attend_block` on every block and joins the contexts, [B, S', N, H]."""
    query = tensors[0]

    def attend(block):
        return attend_block(block, *cut_block(block, tensors, masks, geometry))

    context = tf.map_fn(
        attend,
        block_range(query, geometry),
        fn_output_signature=query.dtype,
        parallel_iterations=parallel_blocks(),
    )  # [C, B, b, N, H]
    return tf.reshape(blocks.join_tokens(context, axis=1), tf.shape(query))


def block_gradients(attend_block, tensors, masks, upstream, geometry):
    """Recomputes block after block; keys share a gradient where halos overlap.

    All of it waits for `upstream`: else the first blocks would be recomputed, and held,
    as soon as the forward pass has made them.
    """
    query, key, value, slot_key, slot_value = tensors
    num_blocks = tf.size(block_range(query, geometry))
    num_slots = tf.shape(slot_key)[3]

    def add_block(block, query_grads, *sums):
        grads = _gradients_of_block(
            attend_block, block, tensors, masks, upstream, geometry
        )
        key_sum, value_sum, slot_key_sum, slot_value_sum = sums
        return (
            block + 1,
            query_grads.write(block, grads[0]),
            _add_neighbours(key_sum, block, grads[1], geometry, axis=3),
            _add_neighbours(value_sum, block, grads[2], geometry, axis=2),
            slot_key_sum + tf.cast(grads[3], tf.float32),
            slot_value_sum + tf.cast(grads[4], tf.float32),
        )

    def zeros_in_blocks(tensor, axis):
        shape = tf.unstack(wait_for(tf.shape(tensor), upstream))
        num_tokens, shape[axis] = shape[axis] - num_slots, geometry.block_len
        return tf.zeros([num_tokens // geometry.block_len, *shape])

    _, query_grads, key_sum, value_sum, *slot_sums = tf.while_loop(
        lambda block, *_: block < num_blocks,
        add_block,
        (
            wait_for(tf.constant(0), upstream),
            tf.TensorArray(query.dtype, num_blocks),
            zeros_in_blocks(key, axis=3),
            zeros_in_blocks(value, axis=2),
            tf.zeros_like(slot_key, tf.float32),
            tf.zeros_like(slot_value, tf.float32),
        ),
        parallel_iterations=parallel_blocks(),
        maximum_iterations=num_blocks,
    )
    grads = (
        tf.reshape(blocks.join_tokens(query_grads.stack(), axis=1), tf.shape(query)),
        blocks.pad_tokens(blocks.join_tokens(key_sum, axis=3), 0, num_slots, axis=3),
        blocks.pad_tokens(blocks.join_tokens(value_sum, axis=2), 0, num_slots, axis=2),
        *slot_sums,
    )
    return [tf.cast(grad, query.dtype) for grad in grads]


def _gradients_of_block(attend_block, block, tensors, masks, upstream, geometry):
    cut, cut_masks = cut_block(block, tensors, masks, geometry)
    with tf.GradientTape() as tape:
        tape.watch(cut)
        context = attend_block(block, cut, cut_masks)
    start = block * geometry.block_len
    upstream = blocks.take_tokens(upstream, start, geometry.block_len, axis=1)
    query, key, value = tape.gradient(context, cut, output_gradients=upstream)
    num_slots = tf.shape(tensors[3])[3]
    key, slot_key = tf.split(key, [geometry.reach, num_slots], axis=3)
    value, slot_value = tf.split(value, [geometry.reach, num_slots], axis=2)
    return query, key, value, slot_key, slot_value


def _add_neighbours(total, block, grads, geometry, axis):
    """Adds a block's gradients, reach long on `axis`, to the blocks that it saw."""
    parts = blocks.split_tokens(grads, geometry.block_len, axis)
    # A replica may get no row of the last batch; nothing can be added to nothing.
    has_rows = tf.cast(tf.size(total) > 0, tf.int32)
    count = has_rows * (geometry.reach // geometry.block_len)
    where = block + tf.range(count)
    return tf.tensor_scatter_nd_add(
        total, where[:, None], tf.cast(parts[:count], total.dtype)
    )  # [C + 2 halo / b, B, N, ...]


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
        >>> from tf_led.ops.local_attention import window_attention
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
        >>> from tf_led.ops.local_attention import window_attention_maps
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
