"""Padding of `global_attention_mask`, and reading what there is to pad."""

from collections.abc import Mapping
from numbers import Integral

GLOBAL_MASK = "global_attention_mask"
# The model reads 0 as "local attention", so padding needs a value of its own.
GLOBAL_PAD = -1


MASKS = ("attention_mask", GLOBAL_MASK)


def integral_mask(name, values):
    """Turns the bools and floats of a mask, as deep as they are, into ints."""
    if name not in MASKS or values is None:
        return values
    if isinstance(values, (list, tuple)) or getattr(values, "ndim", 0):
        return [integral_mask(name, value) for value in values]
    if int(values) != values:
        raise ValueError(f"`{name}` must hold integers, got {values!r}.")
    return int(values)


def pad_global(mask, length, padded_length, side):
    """Pads one row's global mask from `length` to `padded_length` entries."""
    if len(mask) == padded_length:
        return mask
    if len(mask) != length:
        raise ValueError(
            f"`{GLOBAL_MASK}` has {len(mask)} entries for {length} `input_ids`. "
            "Give one entry, 0 or 1, for each id."
        )
    filling = [GLOBAL_PAD] * (padded_length - length)
    return filling + mask if side == "left" else mask + filling


def as_columns(encoded_inputs):
    """Reads a dict of fields or a list of dicts as a new dict of fields."""
    if isinstance(encoded_inputs, Mapping):
        return dict(encoded_inputs)
    if not isinstance(encoded_inputs, (list, tuple)):
        kind = type(encoded_inputs).__name__
        raise TypeError(
            f"`encoded_inputs` must be a dict or a list of dicts, not {kind}."
        )
    if not encoded_inputs:
        raise ValueError("`encoded_inputs` is empty: there is nothing to pad.")
    for number, row in enumerate(encoded_inputs):
        check_row(number, row, encoded_inputs[0])
    return {key: [row[key] for row in encoded_inputs] for key in encoded_inputs[0]}


def check_row(number, row, first):
    if not isinstance(row, Mapping):
        kind = type(row).__name__
        raise TypeError(f"`encoded_inputs[{number}]` must be a dict, not {kind}.")
    if row.keys() != first.keys():
        odd = sorted(row.keys() ^ first.keys())
        raise ValueError(
            f"`encoded_inputs[{number}]` differs from the first row in {odd}. "
            "Every row needs the same fields."
        )


def check_row_counts(fields, name):
    """Raises ValueError where fields have different numbers of rows."""
    ids = fields.get(name)
    if ids is None or not len(ids) or not is_row(ids[0]):
        return
    for key, value in fields.items():
        if hasattr(value, "__len__") and len(value) != len(ids):
            raise ValueError(
                f"`{key}` has {len(value)} rows and `{name}` {len(ids)}. "
                "Give each field one row per example."
            )


def is_row(value):
    return isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0


def check_side(side):
    if side not in (None, "left", "right"):
        raise ValueError(f"`padding_side` must be 'left' or 'right', got {side!r}.")


def check_at_least(name, value, least):
    """Raises ValueError unless the value is None or an integer of at least `least`."""
    if value is None or isinstance(value, Integral) and value >= least:
        return
    raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}.")
