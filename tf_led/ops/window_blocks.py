"""One block of queries: what it is cut from, what it may see, what it computes."""

from typing import NamedTuple

import tensorflow as tf

from tf_led.ops import blocks
from tf_led.ops.dropout import dropout, fold_seed
from tf_led.ops.masks import band_mask, masked_softmax

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
    """Pads to whole blocks and gives keys and values their halo.

    Values have their heads first, [B, N, S, H]; keys are transposed as well, [B, N, H,
    S]: that spares each block's product a transposition.
    """
    query, key, value, slot_key, slot_value = tensors
    after = -tf.shape(query)[1] % geometry.block_len
    before, beyond = geometry.halo, geometry.halo + after
    tensors = (
        blocks.pad_tokens(query, 0, after, axis=1),
        blocks.pad_tokens(blocks.tokens_last(key), before, beyond, axis=3),
        blocks.pad_tokens(blocks.heads_first(value), before, beyond, axis=2),
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
    """Takes block number `block` out of what `prepare` made: its tensors and masks."""
    query, key, value, slot_key, slot_value = tensors
    start, block_len, reach = (
        block * geometry.block_len,
        geometry.block_len,
        geometry.reach,
    )
    cut = (
        blocks.take_tokens(query, start, block_len, axis=1),
        blocks.take_tokens(key, start, reach, axis=3),
        blocks.take_tokens(value, start, reach, axis=2),
        slot_key,
        slot_value,
    )
    cut_masks = Masks(
        blocks.take_tokens(masks.query, start, block_len, axis=1),
        blocks.take_tokens(masks.key, start, reach, axis=1),
        masks.slot,
    )
    return cut, cut_masks


def block_probs(block, cut, masks, geometry, dropout_rate, seed):
    """Computes a block's shares: float[B, N, b, G + reach], slots first."""
    query, key, _, slot_key, _ = cut
    seen_keys = _join(slot_key, key, axis=3)
    scores = tf.matmul(blocks.heads_first(query), seen_keys)  # [B, N, b, G + reach]
    band = band_mask(geometry.block_len, geometry.halo, geometry.radius)
    seen = band & masks.key[:, None, :]  # [B, b, reach]
    slot = tf.repeat(masks.slot[:, None, :], geometry.block_len, axis=1)
    visible = tf.concat([slot, seen], axis=2)[:, None]
    probs = masked_softmax(scores, visible)
    return dropout(probs, dropout_rate, fold_seed(seed, block))


def _join(slots, window, axis):
    """Puts slots in front; without any, saves the copy."""
    return window if slots.shape[axis] == 0 else tf.concat([slots, window], axis)


def block_context(probs, cut):
    """Mixes values by shares: float[B, b, N, H]."""
    value = _join(cut[4], cut[2], axis=2)
    return tf.transpose(tf.matmul(probs, value), [0, 2, 1, 3])  # [B, b, N, H]


def attend_block(block, cut, masks, *, geometry, dropout_rate, seed):
    """Computes a block's context float[B, b, N, H], zeros where a query is masked."""
    probs = block_probs(block, cut, masks, geometry, dropout_rate, seed)
    context = block_context(probs, cut)
    return tf.where(masks.query[..., None, None], context, tf.zeros([], context.dtype))


def window_offsets(probs, geometry):
    """Turns keys of a block into offsets: [B, N, b, G + reach] -> [.., G + 2R + 1]."""
    num_slots = tf.shape(probs)[3] - geometry.reach
    slots, keys = tf.split(probs, [num_slots, geometry.reach], axis=3)
    query_idx = tf.range(geometry.block_len)[:, None]
    offset = tf.range(-geometry.radius, geometry.radius + 1)[None, :]
    key_idx = query_idx * geometry.reach + query_idx + offset + geometry.halo
    shape = tf.shape(keys)
    flat = tf.reshape(keys, [shape[0], shape[1], -1])
    return tf.concat([slots, tf.gather(flat, key_idx, axis=2)], axis=3)
