"""Checks of the values that users give to processors."""

import numbers

import numpy as np
import tensorflow as tf


def known_number(name, value):
    """Gives the Python number behind `value`, or None where only a graph knows it.

    Args:
        name: str, what the user calls the value; for the error.
        value: Python or NumPy number, or scalar tensor.

    Returns:
        The number as given, the number in an eager tensor, None for a symbolic one.

    Raises:
        ValueError: if `value` is a tensor that is not a scalar.
    """
    if not tf.is_tensor(value):
        return value
    if value.shape.rank not in (None, 0):
        raise ValueError(
            f"`{name}` must be one number, got a tensor of shape {value.shape}. "
            "Give a Python number or a scalar tensor."
        )
    return value.numpy().item() if hasattr(value, "numpy") else None


def check_number(name, value, allowed, is_allowed, remedy, kind=numbers.Real):
    """Refuses a `value` that is no number or not an allowed one.

    Args:
        name: str, what the user calls the value.
        value: Python or NumPy number, or scalar tensor (symbolic ones pass).
        allowed: str, the allowed values in words.
        is_allowed: callable, number -> bool.
        remedy: str, what the user can do.
        kind: numbers.Real or numbers.Integral.

    Raises:
        ValueError: naming `name`, `value`, `allowed` and `remedy`.
    """
    number = known_number(name, value)
    if number is None and tf.is_tensor(value):
        return
    is_number = isinstance(number, kind) and not isinstance(number, bool)
    if not is_number or not is_allowed(number):
        raise ValueError(f"`{name}` must be {allowed}, got {number!r}. {remedy}")


def check_unit(name, value, interval, remedy):
    """Refuses a `value` outside of an interval from 0 to 1.

    Args:
        name: str, what the user calls the value.
        value: Python or NumPy number, or scalar tensor (symbolic ones pass).
        interval: str, "(0, 1)", "(0, 1]", "[0, 1)" or "[0, 1]"; a round bracket leaves
            its end out.
        remedy: str, what the user can do.
    """

    def is_inside(number):
        above = number >= 0 if interval[0] == "[" else number > 0
        return above and (number <= 1 if interval[-1] == "]" else number < 1)

    check_number(name, value, f"a number in {interval}", is_inside, remedy)


def check_count(name, value, lowest, remedy):
    """Refuses a `value` that is not an integer of at least `lowest`."""
    check_number(
        name,
        value,
        f"an integer of at least {lowest}",
        lambda number: number >= lowest,
        remedy,
        kind=numbers.Integral,
    )


def check_positive(name, value, remedy):
    """Refuses a `value` that is not a number above 0."""
    check_number(name, value, "a number above 0", lambda number: number > 0, remedy)


def as_ids(name, value, lowest=None):
    """Turns one token id or a sequence of them into a tuple of ints.

    Args:
        name: str, what the user calls the value.
        value: None, int, or sequence, NumPy array or eager tensor of ints.
        lowest: int, the smallest id allowed; None allows any (an end-of-sequence id
            of -1 is how some checkpoints say that there is none).

    Returns:
        tuple of int; empty for None.

    Raises:
        ValueError: if an id is no integer or below `lowest`.
    """
    if value is None:
        return ()
    if tf.is_tensor(value) or isinstance(value, np.ndarray):
        value = np.asarray(value).tolist()
    ids = tuple(value) if isinstance(value, (list, tuple, set, range)) else (value,)
    for token_id in ids:
        if not is_id(token_id) or (lowest is not None and token_id < lowest):
            raise ValueError(
                f"`{name}` must hold token ids (integers of at least {lowest or 0}), "
                f"got {token_id!r}. Give the ids that the tokenizer gives."
            )
    return tuple(int(token_id) for token_id in ids)


def is_id(value):
    """Tells whether `value` is an integer; True and False are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
