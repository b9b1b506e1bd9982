"""Layout changes for attention in blocks: each is one function with one meaning."""

import tensorflow as tf


def heads_first(tokens):
    """Puts the head axis before the token axis: [B, S, N, H] -> [B, N, S, H]."""
    return tf.transpose(tokens, [0, 2, 1, 3])


def tokens_last(tokens):
    """Puts the token axis last: [B, S, N, H] -> [B, N, H, S]."""
    return tf.transpose(tokens, [0, 2, 3, 1])


def pad_tokens(tensor, before, after, axis):
    """Pads `axis` with `before` and `after` zeros (False for masks)."""
    paddings = [[0, 0]] * tensor.shape.rank
    paddings[axis] = [before, after]
    return tf.pad(tensor, paddings)


def take_tokens(tensor, start, length, axis):
    """Takes `length` entries of `axis` from `start` on.

    Unlike `tensor[start : start + length]` this keeps its shape static under XLA when
    `start` is a loop counter.
    """
    rank = tensor.shape.rank
    begin = [start if i == axis else 0 for i in range(rank)]
    shape = tf.shape(tensor)
    size = [length if i == axis else shape[i] for i in range(rank)]
    taken = tf.slice(tensor, begin, size)
    static = tensor.shape.as_list()
    static[axis] = length if isinstance(length, int) else None
    return tf.ensure_shape(taken, static)


def overwrite_tokens(tensor, tokens, start, axis):
    """Puts `tokens` over what `axis` has from `start` on; both end together.

    TensorFlow writes into `tensor` itself where nothing else reads it.
    """
    rank = tensor.shape.rank
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=tensor,
        begin=[start if i == axis else 0 for i in range(rank)],
        end=tf.shape(tensor),
        strides=[1] * rank,
        value=tokens,
    )


def split_tokens(tensor, block_len, axis):
    """Splits `axis`, whose size is a multiple of `block_len`, into blocks in front.

    [A0, ..., C * b, ..., An] -> [C, A0, ..., b, ..., An].
    """
    shape = tf.shape(tensor)
    split = tf.concat([shape[:axis], [-1, block_len], shape[axis + 1 :]], axis=0)
    rank = tensor.shape.rank
    order = [axis, *range(axis), *range(axis + 1, rank + 1)]
    return tf.transpose(tf.reshape(tensor, split), order)


def join_tokens(blocks, axis):
    """Undoes `split_tokens`: [C, A0, ..., b, ..., An] -> [A0, ..., C * b, ..., An]."""
    rank = blocks.shape.rank
    order = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    joined = tf.transpose(blocks, order)
    shape = tf.shape(joined)
    merged = tf.concat([shape[:axis], [-1], shape[axis + 2 :]], axis=0)
    return tf.reshape(joined, merged)
