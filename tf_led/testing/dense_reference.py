"""LED's encoder self-attention in plain NumPy, one query at a time.

Slow on purpose (time and memory grow with S * S) and written to be read: it says in
loops what `tf_led.ops` says in blocks. The tests' first oracle, and yours.
"""

import math

import numpy as np

from tf_led.utils.annotations import TensorLike

_ERF = np.vectorize(math.erf, otypes=["float64"])
ACTIVATIONS = {
    "gelu": lambda x: x * 0.5 * (1 + _ERF(x / math.sqrt(2))),
    "gelu_new": lambda x: (
        x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    ),
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


class Weights:
    """PyTorch's named arrays below one prefix, and what is computed with them.

    Args:
        arrays: dict from name to float array; kernels are [out, in] as in PyTorch.
        prefix: what each name starts with, such as "encoder.layers.0.".
    """

    def __init__(self, arrays, prefix=""):
        self.arrays, self.prefix = arrays, prefix

    def below(self, prefix):
        return Weights(self.arrays, self.prefix + prefix)

    def __getitem__(self, name):
        return self.arrays[self.prefix + name]

    def linear(self, name, hidden):
        return hidden @ self[name + ".weight"].T + self[name + ".bias"]

    def heads(self, name, hidden, num_heads):
        """The projection `name`, cut into heads: [B, S, D] -> [B, S, N, H]."""
        return self.linear(name, hidden).reshape(*hidden.shape[:2], num_heads, -1)

    def norm(self, name, hidden):
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        unit = centred / np.sqrt(variance + 1e-5)
        return unit * self[name + ".weight"] + self[name + ".bias"]

    def embed(self, ids):
        """Tokens plus positions, which count padding too, then the norm."""
        length, limit = ids.shape[1], len(self["embed_positions.weight"])
        if length > limit:
            raise ValueError(
                f"{length} tokens are more than the {limit} positions of the "
                f"{self.prefix.strip('.')}."
            )
        hidden = (
            self.arrays["shared.weight"][ids] + self["embed_positions.weight"][:length]
        )
        return self.norm("layernorm_embedding", hidden)

    def feed_forward(self, hidden, activation):
        inner = ACTIVATIONS[activation](self.linear("fc1", hidden))
        return self.norm("final_layer_norm", hidden + self.linear("fc2", inner))

    def attend(self, hidden, memory, attention_mask, head_mask):
        """The decoder's attention from `hidden` to `memory`, where the mask is True.

        The mask is bool[B, T, S]. Returns the projected context [B, T, D] and the
        probabilities [B, N, T, S]; a query that may attend to nothing has
        probabilities of zero.
        """
        num_heads = len(head_mask)
        query = self.heads("q_proj", hidden, num_heads)
        key = self.heads("k_proj", memory, num_heads)
        value = self.heads("v_proj", memory, num_heads)
        scores = np.einsum("btnh,bsnh->bnts", query, key) / math.sqrt(key.shape[-1])
        scores = np.where(attention_mask[:, None], scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=-1e300))
        total = weights.sum(axis=-1, keepdims=True)
        probs = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        probs = probs * head_mask[:, None, None]
        context = np.einsum("bnts,bsnh->btnh", probs, value)
        return self.linear("out_proj", context.reshape(hidden.shape)), probs


def dense_led_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    query_global: TensorLike,
    key_global: TensorLike,
    value_global: TensorLike,
    *,
    padding_mask: TensorLike,
    global_mask: TensorLike,
    radius: int,
    head_mask: TensorLike | None = None,
) -> np.ndarray:
    """Attends as one LED encoder layer does, in float64.

    A local token sees the global tokens and the other real tokens at most `radius`
    positions away, all in one softmax; a global token sees every real token, through
    projections of its own. G below is the largest number of global tokens in a row.

    Args:
        query: float[B, S, N, H]. Local queries, already divided by sqrt(H).
        key: float[B, S, N, H]. Local keys; local tokens see global ones through them.
        value: float[B, S, N, H]. Local values.
        query_global: float[B, S, N, H]. Already divided by sqrt(H); only the rows of
            global tokens are read.
        key_global: float[B, S, N, H].
        value_global: float[B, S, N, H].
        padding_mask: bool[B, S]. True for real tokens.
        global_mask: bool[B, S]. True for global tokens; padding is never global.
        radius: int >= 1. Half of a layer's `LEDConfig.attention_window`.
        head_mask: float[N] that scales each head's probabilities, or None.

    Returns:
        Tuple of three:

        - the context, float64[B, S, N, H]; rows of padding are zero;
        - the local probabilities, float64[B, N, S, G + 2 * radius + 1]: what each local
          token attends to, the row's global tokens in order, then the positions from
          `-radius` to `radius`; rows of padding and of global tokens are zero;
        - the global probabilities, float64[B, N, S, G]: what each global token attends
          to, down its column; columns that a row does not use are zero.

    Raises:
        ValueError: a mask is not bool[B, S], or `radius` is below 1.

    Source: Longformer (arXiv 2004.05150), sections 3.1 and 3.2; transformers' PyTorch
    `LEDEncoderSelfAttention`.

    Example:
        >>> import numpy as np
        >>> from tf_led.testing import dense_led_attention
        >>> tokens = np.ones([1, 5, 2, 3])
        >>> context, local_probs, global_probs = dense_led_attention(
        ...     *[tokens] * 6,
        ...     padding_mask=np.array([[True, True, True, True, False]]),
        ...     global_mask=np.array([[True, False, False, False, False]]),
        ...     radius=1,
        ... )
        >>> local_probs[0, 0, 1]  # global; left: global, so not again; self; right
        array([0.33333333, 0.        , 0.33333333, 0.33333333])
        >>> global_probs[0, 0, :, 0]
        array([0.25, 0.25, 0.25, 0.25, 0.  ])
    """
    _check(query, radius, padding_mask=padding_mask, global_mask=global_mask)
    batch, length, num_heads, _ = query.shape
    head_mask = np.ones(num_heads) if head_mask is None else np.asarray(head_mask)
    global_mask = global_mask & padding_mask
    num_global = global_mask.sum(axis=1).max(initial=0)
    context = np.zeros(query.shape)
    local_probs = np.zeros([batch, num_heads, length, num_global + 2 * radius + 1])
    global_probs = np.zeros([batch, num_heads, length, num_global])

    for row in range(batch):
        real = np.flatnonzero(padding_mask[row])
        local = np.flatnonzero(padding_mask[row] & ~global_mask[row])
        global_ = np.flatnonzero(global_mask[row])
        for at in local:
            near = local[np.abs(local - at) <= radius]
            seen = np.append(global_, near)
            columns = np.append(
                np.arange(len(global_)), num_global + near - at + radius
            )
            probs = _probs(query[row, at], key[row, seen], head_mask)
            local_probs[row, :, at, columns] = probs
            context[row, at] = np.einsum("kn,knh->nh", probs, value[row, seen])
        for column, at in enumerate(global_):
            probs = _probs(query_global[row, at], key_global[row, real], head_mask)
            global_probs[row, :, real, column] = probs
            context[row, at] = np.einsum("kn,knh->nh", probs, value_global[row, real])
    return context, local_probs, global_probs


def _probs(query, keys, head_mask):
    """One softmax: `query` [N, H] over `keys` [K, N, H], as [K, N]."""
    scores = np.einsum("nh,knh->kn", query.astype("float64"), keys)
    weights = np.exp(scores - scores.max(axis=0))
    return weights / weights.sum(axis=0) * head_mask


def _check(query, radius, **masks):
    if radius < 1:
        raise ValueError(f"`radius` must be at least 1, got {radius}.")
    for name, mask in masks.items():
        if mask.dtype != bool or mask.shape != query.shape[:2]:
            raise ValueError(
                f"`{name}` must be bool{list(query.shape[:2])}, one value per token of "
                f"`query`, got {mask.dtype}{list(mask.shape)}."
            )
