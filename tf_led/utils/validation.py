"""Checks of what users hand in."""

import numpy as np


def check_int(name, value, at_least):
    """Raises ValueError if an argument is not an int, or too small.

    Args:
        name: str, the argument's name.
        value: anything.
        at_least: int.

    Raises:
        ValueError: naming the argument, its value and what is allowed.
    """
    is_int = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_int or value < at_least:
        raise ValueError(
            f"`{name}` must be an int of at least {at_least}, got {value!r}."
        )
