"""The loop over blocks of queries, and the loop that is its gradient."""

import tensorflow as tf

from tf_led.ops import blocks
from tf_led.ops.order import wait_for
from tf_led.ops.window_blocks import cut_block

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
