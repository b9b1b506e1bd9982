"""What an option of `generate` is, and the checks of the values that it may have."""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.utils.validation import as_ids, check_int, check_number


@dataclass(frozen=True)
class Option:
    """One option of `generate`.

    Args:
        name: str, the field of transformers' GenerationConfig.
        default: its value where nobody sets one.
        check: callable (name, value) that raises ValueError naming both on a value
            that is not allowed, or None where the processor's class checks it. Not
            called with None, nor with `off`.
        make: callable (value, call: ProcessorCall) -> Processor, or None for no
            processor; called only where the value is neither None nor `off`. None for
            an option that makes no processor.
        off: the value that stands for "no such processor".
        tensor: tf.DType of a scalar tensor that may take the number's place, so that a
            compiled loop serves every value; None where the value shapes the graph.
        is_scalar: whether the value is one number, bool or str, not a list.
        is_argument: whether it is an argument of `generate`, no field of the config.
    """

    name: str
    default: Any
    check: Any = None
    make: Any = None
    off: Any = None
    tensor: Any = None
    is_scalar: bool = True
    is_argument: bool = False

    def is_off(self, value):
        """Tells whether a value requests nothing: None, or `off`."""
        if value is None:
            return True
        if tf.is_tensor(value) or self.off is None:
            return False
        # True equals 1, but is not the number.
        is_same_kind = isinstance(value, bool) == isinstance(self.off, bool)
        return is_same_kind and value == self.off


def an_int(at_least, at_most=None):
    """Makes the check of an int; `at_most` is for what memory or a graph grows with."""

    def check(name, value):
        check_int(name, value, at_least)
        if at_most is not None and value > at_most:
            raise ValueError(f"`{name}` must be at most {at_most:,}, got {value!r}.")

    return check


def a_number(name, value):
    """Checks a finite number."""
    check_number(name, value, "a finite number", math.isfinite)


def seconds(name, value):
    """Checks a number of seconds."""
    check_number(name, value, "a number from 0 on", lambda number: number >= 0)


def a_flag(name, value):
    """Checks a bool; 1 and "no" are not taken for one."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False, got {value!r}.")


def a_stopping_rule(name, value):
    """Checks `early_stopping`."""
    if not isinstance(value, bool) and value != "never":
        raise ValueError(f'`{name}` must be True, False or "never", got {value!r}.')


def a_half_precision(name, value):
    """Checks the name of a dtype of two bytes."""
    if value not in ("bfloat16", "float16"):
        raise ValueError(
            f'`{name}` must be "bfloat16" or "float16", got {value!r}. None computes '
            "as the model does."
        )


def token_ids(name, value):
    """Checks one token id or a list of them."""
    as_ids(name, value, lowest=0)


def by(processor):
    """Makes the check that constructs a processor of one argument."""
    return lambda name, value: processor(value)
