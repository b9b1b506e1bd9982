"""Attention of every token to its neighbours and to the global tokens.

Queries are cut into blocks. A block sees the keys of its own tokens, those of a few
neighbouring blocks on either side, and the keys of the global tokens: nothing of size
S x S exists (arXiv 2004.05150, section 3.1). A step of the loop handles one block or
many, as many as a bound on bytes allows; the gradient computes each step again instead
of keeping what it made.

Blocks are the first axis, [C, B, N, b, H]: to take some of them is no copy, and the
blocks of a step fold into the batch, [k * B, N, b, H].
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_led.ops.control_flow import in_xla, recomputed_steps
from tf_led.ops.dropout import BlockDropout
from tf_led.ops.masks import attention_probs, band_mask
from tf_led.ops.tensor_utils import pad_tokens, size_of, take_rows, write_rows

MAX_BLOCK_LEN = 128  # queries
# Steps in flight at a time on a CPU, where a step is small: two keep both cores
# busy while a third is being cut.
PARALLEL_BLOCKS = 4


# Tensors like a step's scores that are held at a time in a training step.
SCORES_HELD = 4


class Grid(NamedTuple):
    """How a document is cut; int, or int32[] where it depends on a shape unknown yet.

    Attributes:
        block_len: Python int, b, queries in a block.
        neighbours: Python int, blocks seen on either side of a block.
        radius: Python int, R, positions seen on either side of a query.
        num_steps: steps of the loop.
        per_step: k, blocks in a step.
    """

    block_len: int
    neighbours: int
    radius: int
    num_steps: int | tf.Tensor
    per_step: int | tf.Tensor

    @property
    def window_blocks(self):
        """Python int, m: neighbouring blocks that a block sees, itself among them."""
        return 2 * self.neighbours + 1

    @property
    def window_len(self):
        """Python int: keys in them."""
        return self.window_blocks * self.block_len

    @property
    def num_blocks(self):
        """C, whole steps of blocks."""
        return self.num_steps * self.per_step


def make_grid(query, global_key, radius, max_bytes):
    """Chooses the blocks, and how many of them a step handles.

    Args:
        query: float[B, S, N, H].
        global_key: float[B, G, N, H].
        radius: Python int >= 1.
        max_bytes: Python int, bound on the memory of a step; 0 for one block a step, or
            as many small ones as make up MAX_BLOCK_LEN.

    Returns:
        Grid. Steps are of equal size; there is at least one block in each.
    """
    block_len = min(MAX_BLOCK_LEN, radius)
    grid = Grid(block_len, -(-radius // block_len), radius, 1, 1)
    count = _at_least_one(-(-size_of(query, 1) // block_len))
    # Small blocks go several at a time: each step costs something, whatever its size.
    per_step = MAX_BLOCK_LEN // block_len
    if per_step == 1 and not max_bytes:
        return grid._replace(num_steps=count)
    if max_bytes:
        per_step = _at_least_one(
            (max_bytes >> 10) // kibibytes_of_block(query, global_key, grid)
        )
    num_steps = -(-count // per_step)
    return grid._replace(num_steps=num_steps, per_step=-(-count // num_steps))


def kibibytes_of_block(query, global_key, grid):
    """What a block's scores, keys and values take; int, or int32[] as `make_grid`."""
    num_heads, head_dim = query.shape[2:]
    numbers_per_key = num_heads * (SCORES_HELD * grid.block_len + 2 * head_dim)
    per_key = -(-numbers_per_key * query.dtype.size // 1024)
    num_keys = grid.window_len + size_of(global_key, 1)
    return _at_least_one(size_of(query, 0)) * num_keys * per_key


def _at_least_one(number):
    return max(number, 1) if isinstance(number, int) else tf.maximum(number, 1)


def local_attention(
    query,
    key,
    value,
    *,
    global_key,
    global_value,
    query_mask,
    key_mask,
    global_key_mask,
    radius,
    scale,
    dropout_rate=0.0,
    seed=None,
    output_attentions=False,
    max_bytes=0,
):
    """Attends from every token to its window and to the global tokens: one softmax.

    Args:
        query: float[B, S, N, H].
        key: float[B, S, N, H].
        value: float[B, S, N, H].
        global_key: float[B, G, N, H], keys that every token sees; G may be 0.
        global_value: float[B, G, N, H].
        query_mask: bool[B, S]. Rows where it is False give zeros.
        key_mask: bool[B, S]. Tokens that may be seen through the window: neither
            padding nor global.
        global_key_mask: bool[B, G]. False where a row has fewer global tokens than G.
        radius: Python int >= 1, R; half of `LEDConfig.attention_window`.
        scale: Python float, factor of the products of queries and keys: 1/sqrt(H).
        dropout_rate: Python float, fraction of the probabilities dropped. What is
            dropped does not depend on `max_bytes`.
        seed: int32[2], or None for no dropout.
        output_attentions: Python bool, whether to return the probabilities. They take
            S x (G + 2R + 1) numbers for each head.
        max_bytes: Python int. A step handles as many blocks as fit into that memory,
            and at least one; 0 stands for one block of MAX_BLOCK_LEN, or as many
            smaller ones as make that up.

    Returns:
        context float[B, S, N, H], and None or attention_probs float[B, N, S, G + 2R +
        1], before dropout: the global tokens first, then the window, the token itself
        at G + R. Both of the dtype of `query`.

    Source: Longformer (arXiv 2004.05150), section 3.1.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.local_attention import local_attention
        >>> tokens, mask = tf.random.normal([2, 7, 3, 5]), tf.ones([2, 7], tf.bool)
        >>> context, attention_probs = local_attention(
        ...     tokens, tokens, tokens, global_key=tokens[:, :1],
        ...     global_value=tokens[:, :1], query_mask=mask, key_mask=mask,
        ...     global_key_mask=mask[:, :1], radius=2, scale=5**-0.5,
        ...     output_attentions=True)
        >>> context.shape, attention_probs.shape
        (TensorShape([2, 7, 3, 5]), TensorShape([2, 3, 7, 6]))
    """
    grid = make_grid(query, global_key, radius, max_bytes)
    attention_mask = _block_mask(key_mask, global_key_mask, grid)
    attention_mask = attention_mask[:, :, None, None, :]  # [C, B, 1, 1, m * b + G]
    band = tf.pad(  # [b, m * b + G]
        band_mask(grid.block_len, grid.neighbours * grid.block_len, radius),
        [[0, 0], [0, size_of(global_key, 1)]],
        constant_values=True,
    )
    query_mask = _to_blocks(query_mask, grid, 0, [1, 0, 2])  # [C, B, b]
    query_mask = query_mask[:, :, None, :, None]
    block_size = size_of(attention_mask, 1) * query.shape[2] * grid.block_len
    block_size *= size_of(attention_mask, 4)
    dropout = BlockDropout(
        dropout_rate, seed, block_size, grid.num_steps, grid.per_step
    )

    def attend(step, query, key, value):
        """Blocks of queries [k * B, N, b, H], all their keys [k * B, N, H, K]."""
        first = step * grid.per_step
        seen = take_rows(attention_mask, first, grid.per_step)  # [k, B, 1, 1, K]
        is_query = take_rows(query_mask, first, grid.per_step)  # [k, B, 1, b, 1]
        probs = attention_probs(
            query, key, _fold(seen) & band, scale
        )  # [k * B, N, b, K]
        zero = tf.zeros([], query.dtype)
        outputs = [
            tf.where(_fold(is_query), tf.matmul(dropout(step, probs), value), zero)
        ]
        if output_attentions:
            outputs.append(_by_offset(tf.where(_fold(is_query), probs, zero), grid))
        return [_unfold(output, grid) for output in outputs]

    context, *probs = recomputed_steps(
        attend,
        [
            _to_blocks(query, grid, 0, [1, 0, 3, 2, 4]),  # [C, B, N, b, H]
            # Transposed once here, which spares it in each block's product.
            _to_blocks(key, grid, grid.neighbours, [1, 0, 3, 4, 2]),  # [C', B, N, H, b]
            _to_blocks(value, grid, grid.neighbours, [1, 0, 3, 2, 4]),
            tf.transpose(global_key, [0, 2, 3, 1]),  # [B, N, H, G]
            tf.transpose(global_value, [0, 2, 1, 3]),  # [B, N, G, H]
        ],
        num_steps=grid.num_steps,
        take=functools.partial(_take_step, grid),
        add_gradients=functools.partial(_add_gradients, grid, _window_idx(grid)),
        dtypes=[query.dtype] * (1 + output_attentions),
        parallel_steps=1 if max_bytes else PARALLEL_BLOCKS,
    )
    num_tokens = size_of(query, 1)
    context = _join_blocks(context, [2, 0, 1, 4, 3, 5], 1)[:, :num_tokens]
    if not output_attentions:
        return context, None
    return context, _join_blocks(probs[0], [2, 3, 0, 1, 4, 5], 2)[:, :, :num_tokens]


def _to_blocks(tokens, grid, neighbours, order):
    """Cuts [B, S, ...] into blocks [B, C, b, ...], and puts its axes in an order.

    Zeros fill the last blocks, and make `neighbours` more on either side.
    """
    around = neighbours * grid.block_len
    fill = grid.num_blocks * grid.block_len - size_of(tokens, 1)
    padded = pad_tokens(tokens, around, around + fill, axis=1)
    shape = tf.shape(padded)
    split = tf.concat([shape[:1], [-1, grid.block_len], shape[2:]], axis=0)
    return tf.transpose(tf.reshape(padded, split), order)


def _join_blocks(blocks, order, axis):
    """Puts the axes of [steps, k, B, ...] in an order; joins steps, k and b there."""
    ordered = tf.transpose(blocks, order)
    shape = tf.shape(ordered)
    joined = tf.concat([shape[:axis], [-1], shape[axis + 3 :]], axis=0)
    return tf.reshape(ordered, joined)


def _block_mask(key_mask, global_key_mask, grid):
    """Tells which keys a block may see, near enough or not: bool[C, B, m * b + G]."""
    blocks = _to_blocks(key_mask, grid, grid.neighbours, [1, 0, 2])  # [C', B, b]
    count = grid.num_blocks
    windows = [take_rows(blocks, j, count) for j in range(grid.window_blocks)]
    shape = tf.concat([[count], tf.shape(global_key_mask)], axis=0)
    return tf.concat([*windows, tf.broadcast_to(global_key_mask, shape)], axis=2)


def _fold(blocks):
    """[k, B, ...] -> [k * B, ...]."""
    count, *sizes = (size_of(blocks, axis) for axis in range(blocks.shape.rank))
    return tf.reshape(blocks, [count * sizes[0], *sizes[1:]])


def _unfold(folded, grid):
    """[k * B, ...] -> [k, B, ...]."""
    rows, *sizes = (size_of(folded, axis) for axis in range(folded.shape.rank))
    return tf.reshape(folded, [grid.per_step, rows // grid.per_step, *sizes])


def _take_step(grid, step, query, key, value, global_key, global_value):
    """The queries of a step's blocks, and for each block the keys and values it sees.

    [k * B, N, b, H], [k * B, N, H, K] and [k * B, N, K, H], where the K = m * b + G
    keys are those of the window and then those of the global tokens.
    """
    first = step * grid.per_step

    def windows(blocks, of_globals, axis):
        parts = [
            take_rows(blocks, first + j, grid.per_step)
            for j in range(grid.window_blocks)
        ]
        if of_globals.shape[axis - 1] != 0:
            shape = tf.concat([[grid.per_step], tf.shape(of_globals)], axis=0)
            parts.append(tf.broadcast_to(of_globals, shape))
        return _fold(tf.concat(parts, axis=axis))

    return [
        _fold(take_rows(query, first, grid.per_step)),
        windows(key, global_key, axis=4),
        windows(value, global_value, axis=3),
    ]


def _by_offset(probs, grid):
    """Turns keys into offsets, globals first: [..., b, K] -> [..., b, G + 2R + 1]."""
    num_global = tf.shape(probs)[3] - grid.window_len
    near, of_globals = tf.split(probs, [grid.window_len, num_global], axis=3)
    row = np.arange(grid.block_len)[:, None]
    offset = np.arange(-grid.radius, grid.radius + 1)[None, :]
    column = row + offset + grid.neighbours * grid.block_len
    shape = tf.shape(near)
    flat = tf.reshape(near, [shape[0], shape[1], -1])
    near = tf.gather(flat, row * grid.window_len + column, axis=2)
    return tf.concat([of_globals, near], axis=3)


def _window_idx(grid):
    """Which blocks the blocks of a step saw: int64[steps, m, k, 1].

    Made before the loop: in it, a GPU would have to wait for numbers of the host's.
    """
    block_idx = tf.reshape(
        tf.range(grid.num_blocks), [grid.num_steps, 1, grid.per_step, 1]
    )
    neighbour_idx = tf.range(grid.window_blocks)[:, None, None]
    return tf.cast(block_idx + neighbour_idx, tf.int64)


def _add_gradients(grid, window_idx, step, sums, grads):
    """Adds a step's gradients to the blocks and the global tokens that it saw."""
    query_sum, key_sum, value_sum, global_key_sum, global_value_sum = sums
    first = step * grid.per_step
    query, key, value = (tf.cast(_unfold(g, grid), tf.float32) for g in grads)
    key, global_key = _split_keys(key, global_key_sum, grid, axis=4)
    value, global_value = _split_keys(value, global_value_sum, grid, axis=3)
    return [
        write_rows(query_sum, query, first),
        _add_windows(key_sum, key, window_idx[step], first, grid),
        _add_windows(value_sum, value, window_idx[step], first, grid),
        global_key_sum + global_key,
        global_value_sum + global_value,
    ]


def _split_keys(grad, of_globals, grid, axis):
    """Splits gradients [k, B, ..., K, ...] by neighbour, [m, k, B, ..., b, ...].

    Returns them and the sum of those of the global tokens.
    """
    num_global = tf.shape(of_globals)[axis - 1]
    near, of_globals = tf.split(grad, [grid.window_len, num_global], axis=axis)
    shape, rank = tf.shape(near), near.shape.rank
    neighbours = [grid.window_blocks, grid.block_len]
    near = tf.reshape(
        near, tf.concat([shape[:axis], neighbours, shape[axis + 1 :]], axis=0)
    )
    order = [axis, *range(axis), *range(axis + 1, rank + 1)]
    return tf.transpose(near, order), tf.reduce_sum(of_globals, axis=0)


def _add_windows(total, parts, window_idx, first, grid):
    """Adds [m, k, ...] to the blocks that each saw: block i saw i, ..., i + m - 1."""
    num_near, count = grid.window_blocks, grid.per_step
    if in_xla():  # fuses; a scatter would not
        rest = [[0, 0]] * (parts.shape.rank - 2)
        padded = [
            tf.pad(parts[j], [[j, num_near - 1 - j], *rest]) for j in range(num_near)
        ]
        near = take_rows(total, first, count + num_near - 1)
        return write_rows(total, near + tf.add_n(padded), first)
    # A replica may get no row of the last batch; nothing can be added to nothing.
    num_added = num_near * tf.minimum(tf.size(total), 1)
    return tf.tensor_scatter_nd_add(total, window_idx[:num_added], parts[:num_added])
