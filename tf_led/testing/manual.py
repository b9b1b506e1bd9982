"""Chapters of Python's own reference manual: English texts that every Python has."""

from pydoc_data.topics import topics
from typing import NamedTuple


class Chapter(NamedTuple):
    """A chapter of the manual.

    Args:
        title: str.
        text: str, without the title.
    """

    title: str
    text: str


def chapters(most_chars=15_000):
    """Lists the chapters of the manual's "Data model", "Expressions" and so on.

    Args:
        most_chars: int, characters of a text; longer ones hold the text of shorter
            ones.

    Returns:
        List of Chapter, each title once, in the order of the manual's keywords.

    Example:
        >>> from tf_led.testing.manual import chapters
        >>> chapters()[0].title
        'The "assert" statement'
    """
    found = {}
    for name in sorted(topics):
        title, _, text = topics[name].strip().split("\n", 2)
        if len(text) <= most_chars:
            found.setdefault(title, text.strip())
    return [Chapter(*one) for one in found.items()]


def long_chapter():
    """Gives a text of some 8,500 words, "Special method names": str."""
    return topics["specialnames"]
