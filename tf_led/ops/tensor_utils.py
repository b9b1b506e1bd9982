"""Layout changes for attention: each is one function with one meaning."""

import tensorflow as tf

from tf_led.ops.control_flow import in_xla
from tf_led.utils.bfloat16 import rounds_factors


def size_of(tensor, axis):
    """Returns the size of an axis: a Python int where it is static, else int32[]."""
    static = tensor.shape[axis]
    return tf.shape(tensor)[axis] if static is None else static


def heads_first(tokens):
    """Puts the head axis before the token axis: [B, S, N, H] -> [B, N, S, H]."""
    _, first, second, head_dim = tokens.shape
    if 1 in (first, second) and None not in (first, second, head_dim):
        return tf.reshape(tokens, [-1, second, first, head_dim])  # no copy
    return tf.transpose(tokens, [0, 2, 1, 3])


def pad_tokens(tensor, before, after, axis):
    """Pads `axis` with `before` and `after` zeros (False for masks)."""
    paddings = [[0, 0]] * tensor.shape.rank
    paddings[axis] = [before, after]
    return tf.pad(tensor, paddings)


def take_rows(tensor, start, count):
    """Takes `count` entries of the first axis from `start` on.

    Unlike `tensor[start : start + count]` this keeps its shape static under XLA when
    `start` is a loop counter. On a CPU or a GPU it is no copy.
    """
    rank = tensor.shape.rank
    # XLA would have to know `start` to take "the rest" of an axis, -1.
    rest = [
        size_of(tensor, axis) if in_xla() else tensor.shape[axis] or -1
        for axis in range(1, rank)
    ]
    # A product with a constant is one operation; a list would be one for each axis.
    begin = start * tf.constant([1] + [0] * (rank - 1))
    taken = tf.slice(tensor, begin, [count, *rest])
    # Not `tf.ensure_shape`, which has no GPU kernel for masks.
    taken.set_shape([count if isinstance(count, int) else None, *tensor.shape[1:]])
    return taken


def write_rows(tensor, rows, start, axis=0):
    """Puts `rows` over what `axis` of a tensor has from `start` on.

    TensorFlow writes into `tensor` itself where nothing else reads it, as in a loop
    that carries it along.

    Args:
        tensor: [A0, ..., An].
        rows: the same shape but for `axis`, and the same dtype.
        start: int or int32[].
        axis: Python int.

    Returns:
        Tensor like `tensor`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.tensor_utils import write_rows
        >>> write_rows(tf.zeros([5]), tf.ones([2]), 1).numpy().tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0]
    """
    rank, count = tensor.shape.rank, size_of(rows, axis)
    if in_xla():  # where a strided slice cannot begin at a loop counter
        if tensor.shape.num_elements() is None and axis == 0:
            # A replica may get no row of the last batch; nothing is put into nothing.
            count *= tf.minimum(tf.size(tensor), 1)
            rows = rows[:count]
        lead = tf.unstack(tf.shape(tensor)[:axis], axis)
        places = [tf.range(size) for size in lead] + [start + tf.range(count)]
        index = tf.stack(tf.meshgrid(*places, indexing="ij"), axis=-1)
        return tf.tensor_scatter_nd_update(tensor, index, rows)
    begin = [start if i == axis else 0 for i in range(rank)]
    end = [start + count if i == axis else 0 for i in range(rank)]
    whole = sum(1 << i for i in range(rank) if i != axis)
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=tensor,
        begin=begin,
        end=end,
        strides=[1] * rank,
        value=rows,
        begin_mask=whole,
        end_mask=whole,
    )


def matrix_product(x, y, **transposed):
    """Multiplies two matrices, whose factors are rounded to bfloat16 if so asked.

    Args:
        x: float[X, D], or what is transposed to it.
        y: float[D, Y], likewise.
        **transposed: `transpose_a` or `transpose_b` of `tf.matmul`.

    Returns:
        float[X, Y].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.tensor_utils import matrix_product
        >>> row = tf.constant([[2.0, 3.0]])
        >>> matrix_product(row, row, transpose_b=True).numpy()
        array([[13.]], dtype=float32)
    """
    if not rounds_factors(x.dtype):
        return tf.matmul(x, y, **transposed)
    # OneDNN rounds them in products of batches alone: here it is a batch of one.
    return tf.matmul(x[None], y[None], **transposed)[0]
