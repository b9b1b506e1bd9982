"""One block of queries: what it is cut from, what it may see, what it computes."""

from typing import NamedTuple

import tensorflow as tf

from tf_led.ops import blocks
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
