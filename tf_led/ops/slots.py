"""Slots: the global tokens of every row, gathered in front of each other.

A row may have any number of global tokens. Slots are as many as the row with the most
has; rows with fewer leave slots unused.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_led.ops.branches import choose_branch
from tf_led.ops.xla import in_xla

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
        >>> from tf_led.ops.slots import find_slots
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
