"""What becomes of a setting: obeyed, rejected by name, or said to mean nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "migration.md"
SECTION = "## What means nothing here"


@dataclass(frozen=True)
class Obeyed:
    """`shows(name)` returns whether the setting has the effect that it promises."""

    shows: Callable

    def check(self, name):
        assert self.shows(name)


@dataclass(frozen=True)
class Rejected:
    """`does(name)` sets it and has to raise an error that says `named` or its name."""

    does: Callable
    named: str | None = None

    def check(self, name):
        wanted = re.escape(self.named or name)
        with pytest.raises((TypeError, ValueError, AttributeError), match=wanted):
            self.does(name)


@dataclass(frozen=True)
class Harmless:
    """It changes nothing that is computed or written, and the guide says so."""

    def check(self, name):
        assert f"`{name}`" in harmless_names()


@cache
def harmless_names():
    """The section of the migration guide on what means nothing."""
    text = GUIDE.read_text(encoding="utf-8")
    return text.partition(SECTION)[2].partition("\n## ")[0]


def documented(name):
    """Whether the migration guide has a name, alone or before its arguments."""
    text = GUIDE.read_text(encoding="utf-8")
    return re.search(rf"`(\w+\.)*{re.escape(name)}[`(]", text) is not None
