"""The options of a tokenizer call: their order, and which of them make sense."""

from numbers import Integral

# The positional order of a call after the texts, and of `encode`, as in transformers.
CALL_ORDER = (
    "add_special_tokens",
    "padding",
    "truncation",
    "max_length",
    "stride",
    "is_split_into_words",
    "pad_to_multiple_of",
    "padding_side",
    "return_tensors",
    "return_token_type_ids",
    "return_attention_mask",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "return_offsets_mapping",
    "return_length",
    "verbose",
)
ENCODE_ORDER = (*CALL_ORDER[:5], "padding_side", "return_tensors")

# What a call hands on to the encoder; anything else is a mistake.
KNOWN = {
    *CALL_ORDER,
    "padding_strategy",
    "truncation_strategy",
    "split_special_tokens",
    "sanitize_control_tokens",
}


def name_arguments(order, args, kwargs):
    """Puts positional options among the named ones."""
    if len(args) > len(order):
        raise TypeError(f"Only {len(order)} options have a position, got {len(args)}.")
    named = dict(zip(order, args, strict=False))
    twice = sorted(named.keys() & kwargs.keys())
    if twice:
        raise TypeError(f"{', '.join(twice)}: given by position and by name.")
    return {**named, **kwargs}


def check_options(options):
    """Refuses options that the encoder does not have, or cannot follow."""
    unknown = sorted(options.keys() - KNOWN)
    if unknown:
        raise TypeError(f"The tokenizer has no option {', '.join(unknown)}.")
    check_side(options.get("padding_side"))
    check_at_least("stride", options.get("stride"), 0)


def check_side(side):
    if side not in (None, "left", "right"):
        raise ValueError(f"`padding_side` must be 'left' or 'right', got {side!r}.")


def check_at_least(name, value, least):
    """Refuses what is neither None nor an integer of at least `least`."""
    if value is None or isinstance(value, Integral) and value >= least:
        return
    raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}.")
