"""The shapes that the weights of a BART must have, by its configuration."""

from tf_led.checkpoints.errors import CheckpointError


def expected_shape(name, config):
    """Tells the shape of a weight.

    Args:
        name: str, PyTorch LED's name without `led.`; of any but heads and positions.
        config: `LEDConfig`.

    Returns:
        tuple of ints, laid out as PyTorch's.

    Example:
        >>> from tf_led.checkpoints.bart_shapes import expected_shape
        >>> from tf_led.testing import tiny_config
        >>> expected_shape("encoder.layers.0.fc1.weight", tiny_config())
        (17, 12)
    """
    *stem, part, suffix = name.split(".")
    width = config.d_model
    if part in ("shared", "embed_tokens", "lm_head"):
        return config.vocab_size, width
    ffn = getattr(config, f"{stem[0]}_ffn_dim")
    if suffix == "bias" or "norm" in part:
        return (ffn if part == "fc1" else width,)
    shapes = {"fc1": (ffn, width), "fc2": (width, ffn)}
    return shapes.get(part, (width, width))


def check_shapes(tensors, config, file):
    """Refuses weights that do not belong to a configuration.

    Args:
        tensors: dict of `LazyTensor` by PyTorch LED's name without `led.`; of a
            position table only the width is looked at, of heads nothing.
        config: `LEDConfig`.
        file: Path, for messages.

    Raises:
        CheckpointError: naming the first that does not fit.
    """
    for name, tensor in tensors.items():
        expected = expected_shape(name, config)
        if name.endswith("embed_positions.weight"):
            expected = (*tensor.shape[:1], config.d_model)
        if tensor.shape != expected:
            raise CheckpointError(
                f"`{file}`: `{tensor.name}` has shape {tensor.shape}, config.json says "
                f"{expected}."
            )
