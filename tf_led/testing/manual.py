"""English texts that every Python has: of its manual and of its library."""

import importlib
import inspect
from pydoc_data.topics import topics
from typing import NamedTuple

MODULES = (
    "argparse",
    "calendar",
    "collections",
    "configparser",
    "copy",
    "csv",
    "datetime",
    "difflib",
    "email",
    "enum",
    "functools",
    "gzip",
    "hashlib",
    "heapq",
    "http.cookies",
    "inspect",
    "json",
    "locale",
    "logging",
    "mailbox",
    "mimetypes",
    "netrc",
    "optparse",
    "pickle",
    "pprint",
    "queue",
    "random",
    "sched",
    "shelve",
    "shlex",
    "sqlite3",
    "statistics",
    "string",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "timeit",
    "tokenize",
    "trace",
    "types",
    "uuid",
    "warnings",
    "zipfile",
)


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


def library_guide():
    """Joins what the modules of the standard library say of themselves: str.

    Some 6,000 words, a paragraph or some pages for each of forty modules.
    """
    found = [inspect.getdoc(importlib.import_module(name)) for name in MODULES]
    return "\n\n".join(text for text in found if text)
