"""Checks of single values that users hand in: numbers, counts, token ids.

Each raises ValueError that names the argument, its value, what is allowed, what to do.
A number may be Python's, NumPy's or a scalar tensor; one whose value only a graph knows
is not checked.
"""

import numbers
import operator


def known_number(name, value):
    """Gives the Python number behind `value`.

    Args:
        name: str, what the user calls the value.
        value: Python number, NumPy number or array of rank 0, or scalar tensor.

    Returns:
        A Python number; None for a tensor whose value only a graph knows. What is
        neither number nor array comes back as it is.

    Raises:
        ValueError: if `value` is an array or a tensor that is not a scalar.
    """
    if not (hasattr(value, "dtype") and hasattr(value, "shape")):
        return value
    shape = value.shape
    rank = shape.rank if hasattr(shape, "rank") else len(shape)
    if rank not in (None, 0):
        raise ValueError(
            f"`{name}` must be one number, got an array of shape {tuple(shape)}. "
            "Give a Python number or a scalar tensor."
        )
    if hasattr(value, "numpy"):
        value = value.numpy()
    return value.item() if hasattr(value, "item") else None


def check_number(name, value, allowed, is_allowed, remedy="", kind=numbers.Real):
    """Raises ValueError if `value` is not a number, or not an allowed one.

    Args:
        name: str, what the user calls the value.
        value: Python or NumPy number, or scalar tensor.
        allowed: str, the allowed values in words.
        is_allowed: callable, number -> bool.
        remedy: str, what the user can do.
        kind: numbers.Real or numbers.Integral.

    Raises:
        ValueError: naming `name`, `value`, `allowed` and `remedy`.
    """
    number = known_number(name, value)
    if number is None and value is not None:
        return
    is_number = isinstance(number, kind) and not isinstance(number, bool)
    if not is_number or not is_allowed(number):
        message = f"`{name}` must be {allowed}, got {number!r}. {remedy}"
        raise ValueError(message.rstrip())


def check_unit(name, value, interval, remedy=""):
    """Raises ValueError if `value` is not a number of an interval from 0 to 1.

    Args:
        name: str, what the user calls the value.
        value: Python or NumPy number, or scalar tensor.
        interval: str, "(0, 1)", "(0, 1]", "[0, 1)" or "[0, 1]"; a round bracket leaves
            its end out.
        remedy: str, what the user can do.
    """

    def is_inside(number):
        above = number >= 0 if interval[0] == "[" else number > 0
        return above and (number <= 1 if interval[-1] == "]" else number < 1)

    check_number(name, value, f"a number in {interval}", is_inside, remedy)


def check_int(name, value, at_least, remedy=""):
    """Raises ValueError if `value` is not an int of at least `at_least`."""
    check_number(
        name,
        value,
        f"an int of at least {at_least}",
        lambda number: number >= at_least,
        remedy,
        kind=numbers.Integral,
    )


def as_positive_int(name, value):
    """Turns an int of at least 1, Python's or NumPy's, into Python's.

    Args:
        name: str, what the user calls the value.
        value: int.

    Returns:
        int.

    Raises:
        ValueError: naming both.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an int of at least 1, got {value!r}.")
    return number


def check_positive(name, value, remedy=""):
    """Raises ValueError if `value` is not a number above 0."""
    check_number(name, value, "a number above 0", lambda number: number > 0, remedy)


def as_ids(name, value, lowest=None):
    """Turns one token id or a sequence of them into a tuple of ints.

    Args:
        name: str, what the user calls the value.
        value: None, int, or sequence, array or tensor of ints with known values.
        lowest: int, the smallest id allowed; None allows any (an end-of-sequence id
            of -1 is how some checkpoints say that there is none).

    Returns:
        tuple of int; empty for None.

    Raises:
        ValueError: if an id is not an integer or is below `lowest`.
    """
    if value is None:
        return ()
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
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
