"""LED's whole forward pass in plain NumPy, from PyTorch's weight names to logits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_led.models.config import LEDConfig
from tf_led.testing.dense_reference import ACTIVATIONS, Weights, dense_led_attention
from tf_led.utils.annotations import TensorLike


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
