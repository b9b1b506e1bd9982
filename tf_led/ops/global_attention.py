"""Global tokens: where they are, and their attention to the whole document.

Longformer (arXiv 2004.05150), section 3.1.
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from tf_led.ops.control_flow import choose_branch, in_xla, recomputed_steps
from tf_led.ops.dropout import BlockDropout, dropout
from tf_led.ops.masks import masked_softmax
from tf_led.ops.tensor_utils import heads_first, pad_tokens, size_of, write_rows

# Under XLA the number of global tokens is padded to the smallest of these sizes, or S,
# that holds all. Each size is compiled, so one not well below S is left out.
XLA_SIZES = (16, 256)
# Global tokens whose attention to all S tokens exists at a time.
MAX_CHUNK_LEN = 64


class GlobalTokens(NamedTuple):
    """Where the global tokens are; rows with fewer than G of them are padded.

    Attributes:
        idx: int32[B, G], distinct positions in each row.
        mask: bool[B, G], True where that position is a global token.
        places: int64[B, G, 2], row and position, for scattering.
    """

    idx: tf.Tensor
    mask: tf.Tensor
    places: tf.Tensor


def no_global_tokens(mask):
    """Returns `GlobalTokens` with G = 0 for a batch whose masks are bool[B, S]."""
    idx = tf.zeros_like(mask[:, :0], tf.int32)
    return GlobalTokens(idx, mask[:, :0], _places(idx))


def find_global_tokens(global_mask, num_global):
    """Gathers the positions of global tokens, in order.

    Args:
        global_mask: bool[B, S]. True for global tokens.
        num_global: int or int32[], G, at most S; global tokens beyond it are left out.

    Returns:
        GlobalTokens.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.global_attention import find_global_tokens
        >>> mask = tf.constant([[False, True, False], [True, False, True]])
        >>> find_global_tokens(mask, 2).idx.numpy().tolist()
        [[1, 0], [0, 2]]
    """
    # top_k puts the lower index first among equals. In float32: what compares and adds
    # int32 does so on the host.
    top = tf.math.top_k(tf.cast(global_mask, tf.float32), k=num_global)
    return GlobalTokens(top.indices, top.values > 0, _places(top.indices))


def _places(idx):
    idx = tf.cast(idx, tf.int64)  # int32 would be packed on the host
    row = tf.cumsum(tf.ones_like(idx), axis=0, exclusive=True)
    return tf.stack([row, idx], axis=-1)


def count_global_tokens(global_mask):
    """Returns int32[], the largest number of global tokens in a row of bool[B, S]."""
    counts = tf.reduce_sum(tf.cast(global_mask, tf.float32), axis=1)
    largest = tf.reduce_max(tf.concat([counts, [0.0]], axis=0))
    return tf.cast(largest, tf.int32)


def with_global_tokens(global_mask, function, tensors):
    """Calls `function` with `GlobalTokens` large enough for every global token.

    Args:
        global_mask: bool[B, S].
        function: takes GlobalTokens and then `tensors`; returns a float tensor whose
            shape does not depend on G. It uses no variables but through `tensors`.
        tensors: list of float tensors.

    Returns:
        What `function` returns. Outside XLA it is called once, with exactly as many
        places as needed; under XLA, where shapes are static, once for each of a few
        sizes, of which one runs.
    """
    num_global = count_global_tokens(global_mask)
    if not in_xla():
        return function(find_global_tokens(global_mask, num_global), *tensors)
    sizes = _xla_sizes(global_mask)
    branch = tf.reduce_sum(tf.cast(num_global > tf.stack(sizes), tf.int32))
    functions = [
        lambda *tensors, g=g: function(find_global_tokens(global_mask, g), *tensors)
        for g in sizes
    ]
    return choose_branch(branch if len(sizes) > 1 else 0, functions, tensors)


def _xla_sizes(global_mask):
    """Sizes of which one holds every global token, rising, none above S."""
    source_len = global_mask.shape[1]
    if source_len is not None:
        worthwhile = [size for size in XLA_SIZES if 4 * size <= source_len]
        return [*worthwhile, source_len]
    # Not known while TensorFlow traces (an input signature, `fit` on a generator), but
    # XLA compiles for one length at a time, where these are constants.
    source_len = tf.shape(global_mask)[1]
    return [*(tf.minimum(size, source_len) for size in XLA_SIZES), source_len]


def take_tokens(tokens, global_tokens):
    """Takes the global tokens of [B, S, ...]: [B, G, ...]."""

    @tf.custom_gradient
    def take(tokens):
        shape = tf.shape(tokens, out_type=tf.int64)
        taken = tf.gather(tokens, global_tokens.idx, axis=1, batch_dims=1)
        return taken, lambda upstream: _scatter(upstream, global_tokens, shape)

    return take(tokens)


def put_tokens(tokens, rows, global_tokens):
    """Puts rows [B, G, ...] where the global tokens of [B, S, ...] are.

    Args:
        tokens: float[B, S, ...], zeros for global tokens.
        rows: float[B, G, ...].
        global_tokens: GlobalTokens.

    Returns:
        Tensor like `tokens`; tokens that are not global keep their values. The gradient
        keeps neither `tokens` nor `rows`.
    """
    rows = tf.where(
        _with_rank_of(rows, global_tokens.mask), rows, tf.zeros([], rows.dtype)
    )
    # In half precision a scatter into `tokens` has no GPU kernel.
    scattered = _scatter(rows, global_tokens, tf.shape(tokens, out_type=tf.int64))
    return tf.add_n([tokens, scattered])


def _scatter(rows, global_tokens, shape):
    """Puts [B, G, ...] at the positions of global tokens in zeros of [B, S, ...]."""
    return tf.scatter_nd(global_tokens.places, rows, shape)


def _with_rank_of(tensor, mask):
    """Adds axes of size 1 to [B, S] until the mask has the rank of the tensor."""
    return mask[(..., *[None] * (tensor.shape.rank - 2))]


class Projected(NamedTuple):
    """Stands for float[B, S, N, H], a projection of hidden states not yet computed.

    Attributes:
        hidden: float[B, S, D].
        kernel: float[D, N, H].
        bias: float[N, H].
    """

    hidden: tf.Tensor
    kernel: tf.Tensor
    bias: tf.Tensor

    def compute(self):
        """Returns what it stands for, float[B, S, N, H]."""
        return heads_first(self.heads_first())

    def heads_first(self):
        """Returns the same as float[B, N, S, H], which products need."""
        projected = tf.einsum("bsd,dnh->bnsh", self.hidden, self.kernel)
        return projected + self.bias[:, None, :]


def global_attention(
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
    """Attends from global tokens to all tokens that are not padding.

    With few global tokens neither keys nor values are computed: `q (W x)` is `(q W) x`,
    two products with G x N rows in place of two with S. Which way is cheaper is decided
    by G x N against D. With many, some are handled at a time.

    Args:
        query: float[B, G, N, H].
        key: `Projected`, which stands for float[B, S, N, H].
        value: `Projected`, of the same hidden states.
        attention_mask: bool[B, S]. True = may be attended to.
        scale: Python float, factor of the products of queries and keys: 1/sqrt(H).
        dropout_rate: Python float, fraction of the probabilities dropped.
        seed: int32[2], or None for no dropout.
        output_attentions: Python bool, whether to return the probabilities.

    Returns:
        context float[B, G, N, H], and None or attention_probs float[B, N, G, S], before
        dropout.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.global_attention import Projected, global_attention
        >>> hidden = tf.random.normal([2, 7, 11])
        >>> key = Projected(hidden, tf.random.normal([11, 3, 5]), tf.zeros([3, 5]))
        >>> context, _ = global_attention(
        ...     tf.random.normal([2, 1, 3, 5]), key, key,
        ...     attention_mask=tf.ones([2, 7], tf.bool), scale=5**-0.5)
        >>> context.shape
        TensorShape([2, 1, 3, 5])
    """
    query = query * scale
    options = {
        "attention_mask": attention_mask,
        "dropout_rate": dropout_rate,
        "seed": seed,
    }
    if output_attentions:
        return _attend_at_once(query, key, value, **options)
    # 1 where G x N > D. As a quotient it is on the host, where a branch is chosen.
    branch = size_of(query, 1) * query.shape[2] // (key.hidden.shape[-1] + 1)
    branch = min(branch, 1) if isinstance(branch, int) else tf.minimum(branch, 1)
    ways = [_attend_unprojected, _attend_in_chunks]
    context = choose_branch(
        branch,
        [functools.partial(way, **options) for way in ways],
        [query, key.hidden, key.kernel, key.bias, value.kernel, value.bias],
    )
    return context, None


def _attend_at_once(query, key, value, *, attention_mask, dropout_rate, seed):
    """Context and probabilities from one matrix of scores."""
    scores = tf.matmul(heads_first(query), key.heads_first(), transpose_b=True)
    probs = masked_softmax(scores, attention_mask[:, None, None, :])  # [B, N, G, S]
    dropped = dropout(probs, dropout_rate, seed)
    return heads_first(tf.matmul(dropped, value.heads_first())), probs


def _attend_unprojected(query, hidden, *weights, attention_mask, dropout_rate, seed):
    """Attends to the hidden states themselves; the projections move to the G side."""
    key_kernel, key_bias, value_kernel, value_bias = weights
    num_heads, num_global = query.shape[2], size_of(query, 1)
    unprojected = tf.einsum("bgnh,dnh->bngd", query, key_kernel)
    shape = tf.shape(unprojected)
    rows = tf.reshape(unprojected, [shape[0], -1, shape[3]])  # [B, N * G, D]
    scores = tf.matmul(rows, hidden, transpose_b=True)  # [B, N * G, S]
    probs = masked_softmax(scores, attention_mask[:, None, :])
    probs = dropout(probs, dropout_rate, seed)
    mixed = tf.matmul(probs, hidden)
    mixed = tf.reshape(mixed, [shape[0], num_heads, num_global, shape[3]])
    context = tf.einsum("bngd,dnh->bgnh", mixed, value_kernel)
    total = tf.reshape(tf.reduce_sum(probs, -1), shape[:3])  # 1 but for dropout
    context += tf.einsum("bng,nh->bgnh", total, value_bias)
    # The key's bias adds the same to all scores of a row, which softmax ignores: its
    # gradient is 0, not missing.
    return context + 0 * tf.reduce_sum(key_bias)


def _attend_in_chunks(query, hidden, *weights, attention_mask, dropout_rate, seed):
    """Attends to keys and values, some global tokens at a time."""
    key, value = Projected(hidden, *weights[:2]), Projected(hidden, *weights[2:])
    num_global = size_of(query, 1)
    is_static = isinstance(num_global, int)
    chunk_len = (min if is_static else tf.minimum)(num_global, MAX_CHUNK_LEN)
    num_chunks = -(-num_global // chunk_len)
    query = pad_tokens(query, 0, num_chunks * chunk_len - num_global, axis=1)
    batch, _, num_heads, head_dim = (size_of(query, axis) for axis in range(4))
    chunks = tf.reshape(query, [batch, num_chunks, chunk_len, num_heads, head_dim])
    drop = BlockDropout(
        dropout_rate,
        seed,
        block_size=batch * num_heads * chunk_len * size_of(hidden, 1),
        num_steps=num_chunks,
        per_step=1,
    )

    def attend(step, query, key, value):
        scores = tf.matmul(query, key, transpose_b=True)  # [B, N, c, S]
        probs = masked_softmax(scores, attention_mask[:, None, None, :])
        return [tf.matmul(drop(step, probs), value)]

    def add_gradients(step, sums, grads):
        query, key, value = (tf.cast(grad, tf.float32) for grad in grads)
        return [write_rows(sums[0], query[None], step), sums[1] + key, sums[2] + value]

    (context,) = recomputed_steps(
        attend,
        [tf.transpose(chunks, [1, 0, 3, 2, 4]), key.heads_first(), value.heads_first()],
        num_steps=num_chunks,
        take=lambda step, chunks, key, value: [chunks[step], key, value],
        add_gradients=add_gradients,
        dtypes=[query.dtype],
    )
    context = tf.transpose(context, [1, 0, 3, 2, 4])  # [B, C, c, N, H]
    context = tf.reshape(context, [batch, -1, num_heads, head_dim])
    return context[:, :num_global]
