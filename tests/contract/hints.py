"""Follows the hints of errors: a mistake is made, its message read, and obeyed."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest


class Hint(NamedTuple):
    """A mistake and what its error says to do.

    Args:
        text: str, a pattern that finds the hint in the message.
        mistake: takes what `follow` is given, and raises.
        obey: takes the same, does what the message says and raises nothing.
    """

    text: str
    mistake: Callable
    obey: Callable


def follow(hint, shared):
    """Makes the mistake and obeys.

    Args:
        hint: `Hint`.
        shared: SimpleNamespace; `found` becomes what the pattern found.
    """
    with pytest.raises((ValueError, TypeError, ImportError, OSError)) as caught:
        hint.mistake(shared)
    shared.found = re.search(hint.text, str(caught.value))
    assert shared.found, str(caught.value)
    hint.obey(shared)
