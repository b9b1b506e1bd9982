"""The implementations of the encoder's windowed attention, by name.

A new one is a function in a file of its own in `tf_led/ops`, called as
`tf_led.ops.local_attention.local_attention`, and a row of the table below.
"""

import functools
import re

import tensorflow as tf

from tf_led.ops.local_attention import local_attention

GROUPED_BYTES = 1 << 30
ATTENTION_IMPLEMENTATIONS = {
    # One block of queries at a time: a block fits into a CPU's cache.
    "loop": local_attention,
    # As many blocks at a time as fit into some memory: many for a GPU or TPU to do.
    "grouped": functools.partial(local_attention, max_bytes=GROUPED_BYTES),
}
_UNITS = {"MB": 1 << 20, "GB": 1 << 30}


def get_attention(name="auto"):
    """Looks up an implementation of windowed attention.

    All of them compute the same, but for rounding.

    Args:
        name: string, one of `ATTENTION_IMPLEMENTATIONS`; "grouped:512MB" or
            "grouped:2GB", with another bound than 1 GB on the memory of a step; or
            "auto", which is "grouped" where TensorFlow sees a GPU or a TPU, and "loop"
            elsewhere.

    Returns:
        Function called as `tf_led.ops.local_attention.local_attention`.

    Raises:
        ValueError: on any other name.

    Example:
        >>> from tf_led.ops.attention import get_attention
        >>> get_attention("grouped:512MB").keywords
        {'max_bytes': 536870912}
    """
    row, size = _split(name)
    max_bytes = _parse_size(size)
    takes_size = row == "grouped" and max_bytes is not None
    if row not in ATTENTION_IMPLEMENTATIONS or (size and not takes_size):
        raise ValueError(
            f"`attention_implementation` is {name!r}; give 'auto', "
            f"{', '.join(map(repr, ATTENTION_IMPLEMENTATIONS))}, or a bound on the "
            "memory of a step as in 'grouped:512MB' or 'grouped:2GB'."
        )
    if size:
        return functools.partial(local_attention, max_bytes=max_bytes)
    return ATTENTION_IMPLEMENTATIONS[row]


def is_grouped(name="auto"):
    """Whether an implementation handles many blocks at a time, as for a GPU or TPU.

    Args:
        name: string, as of `get_attention`.

    Returns:
        bool.

    Example:
        >>> from tf_led.ops.attention import is_grouped
        >>> is_grouped("loop"), is_grouped("grouped:2GB")
        (False, True)
    """
    return _split(name)[0] == "grouped"


def _split(name):
    """Splits "grouped:2GB" at the colon; "auto" becomes the row for these devices."""
    row, _, size = str(name).partition(":")
    if row == "auto" and not size:
        row = "grouped" if _has_accelerator() else "loop"
    return row, size


def _parse_size(size):
    """Bytes of "512MB" or "0.5GB"; None for anything else, or for none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(MB|GB)", size)
    return int(float(match[1]) * _UNITS[match[2]]) or None if match else None


def _has_accelerator():
    return any(tf.config.get_visible_devices(kind) for kind in ("GPU", "TPU"))
