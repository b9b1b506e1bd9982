"""Refusing at once what is no number of the right kind."""

import numpy as np


def check_int(name, value, at_least):
    """Refuses what is no int, or too small a one.

    Args:
        name: str, what the argument is called.
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
