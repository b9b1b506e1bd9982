"""A LED small enough for any test, with weights that let no mistake hide."""

from typing import Any

import numpy as np

from tf_led import LEDConfig
from tf_led.checkpoints.names.led import LED_NAMES

_TINY = {
    "vocab_size": 29,
    "d_model": 12,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 17,
    "decoder_ffn_dim": 19,
    "attention_window": 4,
    "max_encoder_position_embeddings": 64,
    "max_decoder_position_embeddings": 32,
}
_ENCODER_PROJECTIONS = [
    f"self_attn.longformer_self_attn.{name}"
    for name in ("query", "key", "value", "query_global", "key_global", "value_global")
] + ["self_attn.output"]
_DECODER_PROJECTIONS = [
    f"{attention}.{name}"
    for attention in ("self_attn", "encoder_attn")
    for name in ("q_proj", "k_proj", "v_proj", "out_proj")
]
_NORMS = ["self_attn_layer_norm", "final_layer_norm"]


def tiny_config(**overrides: Any) -> LEDConfig:
    """Makes the config of a model with about nine thousand weights.

    Args:
        **overrides: any field of `LEDConfig`, to replace or to add.

    Returns:
        A new LEDConfig: 29 tokens, width 12, 3 heads, 2 + 2 layers, window 4, 64 and 32
        positions; the rest as `LEDConfig` has it.

    Example:
        >>> from tf_led.testing import tiny_config
        >>> tiny_config(attention_window=[6, 10]).attention_window
        [6, 10]
    """
    return LEDConfig(**{**_TINY, **overrides})


def spread_weights(config: LEDConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Draws weights of large spread, under the names of PyTorch's checkpoint.

    With the usual small random weights attention is close to uniform, and a wrong
    attention gives nearly the right result. Here attention is peaked, LayerNorm gains
    lie around 1, and no bias is 0.

    Args:
        config: LEDConfig.
        seed: int; the same seed and config give the same weights.

    Returns:
        dict from name, such as "led.encoder.layers.0.fc1.weight", to a float32 array:
        what the checkpoint of a LED for conditional generation holds, tied weights
        once.

    Example:
        >>> from tf_led.testing import spread_weights, tiny_config
        >>> spread_weights(tiny_config())["led.encoder.layers.0.fc1.weight"].shape
        (17, 12)
    """
    rng = np.random.default_rng(seed)
    return {name: _draw(rng, name, shape) for name, shape in weight_shapes(config)}


def fill_spread(model, seed: int = 0) -> None:
    """Gives every weight of a built model its value of `spread_weights`.

    The weights of other heads than that for conditional generation are drawn too.

    Args:
        model: a model of `tf_led`, with a `config` and a `weight_table()`.
        seed: int, as for `spread_weights`.

    Returns:
        The dict of `spread_weights` that the model now holds, for `dense_led_forward`,
        and what was drawn beside it.

    Raises:
        ValueError: a path of the table that is not one of LED's weights.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import fill_spread, tiny_config
        >>> weights = fill_spread(TFLEDForConditionalGeneration(tiny_config()))
        >>> weights["final_logits_bias"].shape
        (1, 29)
    """
    weights = spread_weights(model.config, seed)
    rng = np.random.default_rng([seed, 1])
    for path, variable in model.weight_table().items():
        row = LED_NAMES.to_pytorch(path)
        if row is None:
            raise ValueError(f"`weight_table()` has {path!r}, which LED does not.")
        name, transform = row
        if f"led.{name}" in weights:  # a bare model's names lack the prefix
            name = f"led.{name}"
        elif name not in weights:
            shape = transform(np.empty(variable.shape)).shape
            weights[name] = _draw(rng, name, shape)
        variable.assign(transform(weights[name]))
    return weights


def _draw(rng, name, shape):
    noise = rng.standard_normal(shape).astype("float32")
    if "norm" in name and name.endswith(".weight"):
        return 1 + 0.3 * noise.clip(-2, 2)
    if name.endswith("bias"):
        return 0.3 * noise
    if "shared" in name or "embed" in name:
        return noise
    # Scores with a standard deviation near 4; attention that outweighs the residual.
    is_scored = any(part in name for part in ("query", "key", "q_proj", "k_proj"))
    return noise * (2.0 if is_scored else 1.5) / np.sqrt(shape[1], dtype="float32")


def weight_shapes(config):
    """Lists the weights of a LED for conditional generation, tied ones once.

    Args:
        config: LEDConfig.

    Yields:
        (name, shape): PyTorch's name and a tuple of ints, laid out as PyTorch's.

    Example:
        >>> from tf_led.testing.tiny import tiny_config, weight_shapes
        >>> dict(weight_shapes(tiny_config()))["led.encoder.layers.0.fc1.weight"]
        (17, 12)
    """
    width = config.d_model
    yield "final_logits_bias", (1, config.vocab_size)
    yield "led.shared.weight", (config.vocab_size, width)
    for half in ("encoder", "decoder"):
        positions = getattr(config, f"max_{half}_position_embeddings")
        yield f"led.{half}.embed_positions.weight", (positions, width)
        yield from _both(f"led.{half}.layernorm_embedding", (width,), width)
        for i in range(getattr(config, f"{half}_layers")):
            yield from _layer_shapes(config, half, f"led.{half}.layers.{i}.")


def _layer_shapes(config, half, prefix):
    width, inner = config.d_model, getattr(config, f"{half}_ffn_dim")
    is_encoder = half == "encoder"
    for name in _ENCODER_PROJECTIONS if is_encoder else _DECODER_PROJECTIONS:
        yield from _both(prefix + name, (width, width), width)
    for name in _NORMS if is_encoder else [*_NORMS, "encoder_attn_layer_norm"]:
        yield from _both(prefix + name, (width,), width)
    yield from _both(prefix + "fc1", (inner, width), inner)
    yield from _both(prefix + "fc2", (width, inner), width)


def _both(name, shape, width):
    yield f"{name}.weight", shape
    yield f"{name}.bias", (width,)
