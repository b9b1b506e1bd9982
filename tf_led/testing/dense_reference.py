"""LED in plain NumPy: its encoder self-attention, one query at a time, and all of it.

Slow on purpose (time and memory grow with S * S) and written to be read: it says in
loops what `tf_led.ops` says in blocks. The tests' first oracle, and yours.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_led.models.config import LEDConfig
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


def dense_led_forward(
    weights: Mapping[str, np.ndarray],
    config: LEDConfig,
    input_ids: TensorLike,
    attention_mask: TensorLike | None = None,
    decoder_input_ids: TensorLike | None = None,
    decoder_attention_mask: TensorLike | None = None,
    head_mask: TensorLike | None = None,
    decoder_head_mask: TensorLike | None = None,
    global_attention_mask: TensorLike | None = None,
    cross_attn_head_mask: TensorLike | None = None,
) -> dict[str, Any]:
    """Runs LED for conditional generation densely, in float64 and without dropout.

    It has no limits of layout: windows need not divide each other, and any length up to
    the number of positions works. Arguments mean what they mean to the model's call.

    Args:
        weights: dict from the names of PyTorch's `LEDForConditionalGeneration` to
            arrays, such as `spread_weights` gives or a checkpoint holds.
        config: LEDConfig. Read only.
        input_ids: int[B, S].
        attention_mask: int[B, S], 0 for padding. None: no padding.
        decoder_input_ids: int[B, T]. None: `input_ids` shifted right.
        decoder_attention_mask: int[B, T], 0 for padding. None: no padding.
        head_mask: float[encoder layers, N] that scales the heads' probabilities.
        decoder_head_mask: float[decoder layers, N] for the decoder's self-attention.
        global_attention_mask: int[B, S]: 1 global, 0 local, -1 padding. None: 0.
        cross_attn_head_mask: float[decoder layers, N] for the cross-attention.

    Returns:
        A dict with the fields of `TFLEDSeq2SeqLMOutput`, all but `loss` and
        `past_key_values`: float64 arrays, or tuples of them with one entry per layer
        (hidden states: one more, the embeddings first). Queries of the decoder that may
        look at nothing, as under left padding, have zero attention.

    Raises:
        ValueError: a length beyond the number of positions, or an activation function
            that this reference does not have.

    Source: transformers' PyTorch `LEDForConditionalGeneration`.

    Example:
        >>> import numpy as np
        >>> from tf_led.testing import dense_led_forward, spread_weights, tiny_config
        >>> config = tiny_config()
        >>> ids = np.arange(3, 14)[None]
        >>> dense_led_forward(spread_weights(config), config, ids)["logits"].shape
        (1, 11, 29)
    """
    _check_activation(config)
    arrays = {n.removeprefix("led."): np.float64(a) for n, a in weights.items()}
    if decoder_input_ids is None:
        decoder_input_ids = np.roll(input_ids, 1, axis=1)
        decoder_input_ids[:, 0] = config.decoder_start_token_id
    is_real = _given(attention_mask, 1, input_ids.shape) > 0
    encoded = _encode(
        Weights(arrays, "encoder."),
        config,
        input_ids,
        is_real=is_real,
        global_attention_mask=_given(global_attention_mask, 0, input_ids.shape),
        head_mask=_given(head_mask, 1, _heads(config, "encoder")),
    )
    decoded = _decode(
        Weights(arrays, "decoder."),
        config,
        decoder_input_ids,
        is_real=_given(decoder_attention_mask, 1, decoder_input_ids.shape) > 0,
        memory=encoded["encoder_last_hidden_state"],
        memory_is_real=is_real,
        head_mask=_given(decoder_head_mask, 1, _heads(config, "decoder")),
        cross_head_mask=_given(cross_attn_head_mask, 1, _heads(config, "decoder")),
    )
    last = decoded["decoder_hidden_states"][-1]
    logits = last @ arrays["shared.weight"].T + arrays["final_logits_bias"]
    return {"logits": logits, **decoded, **encoded}


def _encode(weights, config, ids, *, is_real, global_attention_mask, head_mask):
    hidden, probs_of_layers, global_probs_of_layers = [weights.embed(ids)], [], []
    for i in range(config.encoder_layers):
        layer = weights.below(f"layers.{i}.")
        context, local_probs, global_probs = dense_led_attention(
            *_encoder_projections(layer.below("self_attn."), hidden[-1], config),
            # The tokenizer pads the global mask with -1, which masks a token here, but
            # not in the cross-attention.
            padding_mask=is_real & (global_attention_mask >= 0),
            global_mask=global_attention_mask > 0,
            radius=_window(config, i) // 2,
            head_mask=head_mask[i],
        )
        context = layer.linear("self_attn.output", context.reshape(hidden[-1].shape))
        tokens = layer.norm("self_attn_layer_norm", hidden[-1] + context)
        hidden.append(layer.feed_forward(tokens, config.activation_function))
        probs_of_layers.append(local_probs)
        global_probs_of_layers.append(global_probs)
    return {
        "encoder_last_hidden_state": hidden[-1],
        "encoder_hidden_states": tuple(hidden),
        "encoder_attentions": tuple(probs_of_layers),
        "encoder_global_attentions": tuple(global_probs_of_layers),
    }


def _encoder_projections(weights, tokens, config):
    names = ["query", "key", "value", "query_global", "key_global", "value_global"]
    for name in names:
        heads = weights.heads(
            f"longformer_self_attn.{name}", tokens, config.encoder_attention_heads
        )
        yield heads / np.sqrt(heads.shape[-1]) if "query" in name else heads


def _decode(
    weights, config, ids, *, is_real, memory, memory_is_real, head_mask, cross_head_mask
):
    positions = np.arange(ids.shape[1])
    causal = positions[:, None] >= positions  # [T, T]
    hidden, probs_of_layers, cross_probs_of_layers = [weights.embed(ids)], [], []
    for i in range(config.decoder_layers):
        layer = weights.below(f"layers.{i}.")
        tokens = hidden[-1]
        context, probs = layer.below("self_attn.").attend(
            tokens, tokens, causal & is_real[:, None, :], head_mask[i]
        )
        tokens = layer.norm("self_attn_layer_norm", tokens + context)
        context, cross_probs = layer.below("encoder_attn.").attend(
            tokens, memory, memory_is_real[:, None, :], cross_head_mask[i]
        )
        tokens = layer.norm("encoder_attn_layer_norm", tokens + context)
        hidden.append(layer.feed_forward(tokens, config.activation_function))
        probs_of_layers.append(probs)
        cross_probs_of_layers.append(cross_probs)
    return {
        "decoder_hidden_states": tuple(hidden),
        "decoder_attentions": tuple(probs_of_layers),
        "cross_attentions": tuple(cross_probs_of_layers),
    }


def _given(value, fill, shape):
    return np.full(shape, fill) if value is None else np.asarray(value)


def _heads(config, half):
    return [
        getattr(config, f"{half}_layers"),
        getattr(config, f"{half}_attention_heads"),
    ]


def _window(config, layer):
    window = config.attention_window
    return window if isinstance(window, int) else window[layer]


def _check_activation(config):
    if config.activation_function not in ACTIVATIONS:
        raise ValueError(
            f"`activation_function` is {config.activation_function!r}; the dense "
            f"reference has {', '.join(ACTIVATIONS)}."
        )
