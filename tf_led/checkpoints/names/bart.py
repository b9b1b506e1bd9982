"""BART's weights under LED's names, PyTorch's both: one table.

LED is BART with another attention in its encoder: decoder, norms, embeddings and heads
keep their names behind `led.`, the encoder's projections get new ones, and those of
queries, keys and values serve twice (Longformer, arXiv 2004.05150, section 5).
"""

import re

from tf_led.checkpoints.names.led import LED_NAMES

_ATTENTION = re.compile(r"(encoder\.layers\.\d+\.self_attn)\.([a-z]+)_proj\.(\w+)")
_INNER = "longformer_self_attn."
_PARTS = {
    "q": (f"{_INNER}query", f"{_INNER}query_global"),
    "k": (f"{_INNER}key", f"{_INNER}key_global"),
    "v": (f"{_INNER}value", f"{_INNER}value_global"),
    "out": ("output",),
}
# No weights: fairseq's version number and a placeholder, in the oldest files.
_IGNORED = ("version", "_float_tensor")


def bare(key):
    """Returns one of BART's names as the bare model has it: without `model.`."""
    return key.removeprefix("model.")


def to_led(key):
    """Finds LED's names for one of BART's.

    Args:
        key: str, a key of a BART's state dict, with or without `model.`.

    Returns:
        tuple of str, the names of the bare LED that get this weight: two for the
        encoder's queries, keys and values, none for other tensors. None if neither
        model has such a name.

    Example:
        >>> from tf_led.checkpoints.names.bart import to_led
        >>> to_led("model.encoder.layers.3.self_attn.out_proj.bias")
        ('encoder.layers.3.self_attn.output.bias',)
        >>> len(to_led("encoder.layers.0.self_attn.q_proj.bias"))
        2
    """
    name = bare(key)
    if name.rpartition(".")[2] in _IGNORED:
        return ()
    attention = _ATTENTION.fullmatch(name)
    if attention:
        stem, part, suffix = attention.groups()
        found = tuple(f"{stem}.{new}.{suffix}" for new in _PARTS.get(part, ()))
        return found or None
    is_only_leds = _INNER in name or ".self_attn.output." in name
    return None if is_only_leds or LED_NAMES.to_ours(name) is None else (name,)


def expected(encoder_layers, decoder_layers):
    """Lists the names that a bare LED of that many layers has.

    Args:
        encoder_layers: int.
        decoder_layers: int.

    Returns:
        list of str, PyTorch's names without `led.`.

    Example:
        >>> from tf_led.checkpoints.names.bart import expected
        >>> len(expected(1, 1))
        55
    """
    number = {"encoder": encoder_layers, "decoder": decoder_layers}
    return [
        pattern.replace("{}", str(layer))
        for pattern in LED_NAMES.body
        for layer in range(number[pattern.split(".")[0]] if "{}" in pattern else 1)
    ]
