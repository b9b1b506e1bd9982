import ast

import pytest

from tf_led.testing.docstring_corpus import (
    documents_of,
    first_sentence,
    is_wanted,
)

SOURCE = '''\
"""Keeps some numbers safe. And more."""

import math


@cached
def add_one(
    number,
):
    """Adds one to it.

    Args:
        number: an int.
    """
    return number + 1


class Reader(Base):
    """Reads all the lines."""

    limit = 3

    async def read_line(self):
        "Reads a single line."
        # forward
        return self.limit

    def empty(self):
        """Does nothing at all."""

    def plain(self):
        return 7

    class Inner:
        """Stands deep inside here."""

        def go(self):
            """Goes on and on."""
            return 5


def one_line(): "Stands in one line."; return 3
'''


@pytest.fixture(scope="module")
def found():
    return {one.name: one for one in documents_of(SOURCE, "numbers")}


def test_everything_with_a_sentence_and_a_body_is_found(found):
    assert {name: one.kind for name, one in found.items()} == {
        "add_one": "function",
        "Reader": "class",
        "Reader.read_line": "function",
        "Reader.Inner": "class",
        "Reader.Inner.go": "function",
        "numbers": "module",
    }


def test_a_function_loses_its_docstring_and_nothing_else(found):
    one = found["add_one"]
    assert one.document == "\n".join(
        ["@cached", "def add_one(", "    number,", "):", "    return number + 1"]
    )
    assert (one.signature, one.summary) == ("def add_one(", "Adds one to it.")


def test_a_method_stands_below_the_line_of_its_class(found):
    assert found["Reader.read_line"].document.splitlines() == [
        "class Reader(Base):",
        "    async def read_line(self):",
        "        # forward",
        "        return self.limit",
    ]
    assert found["Reader.Inner.go"].document.splitlines() == [
        "class Inner:",
        "    def go(self):",
        "        return 5",
    ]


def test_a_class_keeps_the_docstrings_of_its_methods(found):
    document = found["Reader"].document
    assert "Reads all the lines." not in document
    assert "Reads a single line." in document and "Goes on and on." in document


def test_a_module_loses_every_docstring(found):
    one = found["numbers"]
    assert one.summary == "Keeps some numbers safe."
    assert one.document.startswith("import math\n")
    for text in ("Keeps", "Adds one", "Reads all", "single", "deep", "Goes", "Does"):
        assert text not in one.document
    assert "return 5" in one.document and "# forward" in one.document


def test_what_has_another_statement_stays_python(found):
    for name in ("add_one", "Reader", "Reader.read_line", "Reader.Inner.go"):
        ast.parse(found[name].document)


def test_a_module_of_nothing_but_its_docstring_is_no_document():
    assert documents_of('"""Keeps some numbers safe."""', "numbers") == []


def test_what_is_no_python_is_an_error():
    with pytest.raises(SyntaxError, match="invalid syntax"):
        documents_of("def f(:", "bad")


@pytest.mark.parametrize(
    "docstring, sentence",
    [
        (None, ""),
        ("  Opens it. Then closes it.", "Opens it."),
        ("Opens\n    the file.\n\nMore.", "Opens the file."),
        ("Opens it, e.g. Once. Ends.", "Opens it, e.g. Once."),
        ("Reads version 1.5 of it. Ends.", "Reads version 1.5 of it."),
        ("Adds one\nArgs:\n  n: a number", "Adds one"),
        ("Adds one\n:param n: a number", "Adds one"),
        ("Adds one\n>>> add(1)", "Adds one"),
        ("Adds to ``n`` a :py:class:`~a.Number`.", "Adds to `n` a `a.Number`."),
        ("Returns:\n  a number", ""),
    ],
)
def test_first_sentence(docstring, sentence):
    assert first_sentence(docstring) == sentence


@pytest.mark.parametrize(
    "sentence, wanted",
    [
        ("Opens a file.", True),
        ("Opens it.", False),
        ("word " * 25, True),
        ("word " * 26, False),
        ("Opens a caf\u00e9 here.", False),
        ("a -> (1, 2, 3)", False),
        ("Deprecated since version two.", False),
        ("Read https://example.org for more.", False),
    ],
)
def test_wanted_is_what_says_something_in_english(sentence, wanted):
    assert is_wanted(sentence) is wanted
