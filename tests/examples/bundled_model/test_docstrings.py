import pytest

from examples.bundled_model import docstrings
from examples.bundled_model.docstrings import (
    first_sentence,
    is_wanted,
    pair_of,
    read_docstrings,
    rows_of,
)

REST = "It reads one line after the other. " * 3
SOURCE = f'''
class Reader:
    """Reads all the lines. {REST}"""

    def go(self):
        """Goes to the next one.

        {REST}
        """

    def short(self):
        """Stops reading any further. No more."""
'''


def test_what_a_docstring_says_first_is_the_summary_of_the_rest():
    document, summary = pair_of(f"Reads ``all`` the lines.  {REST}\n\nArgs:\n  n")
    assert summary == "Reads all the lines"
    assert document == f"{REST.strip()}\n\nArgs:\n  n"


@pytest.mark.parametrize(
    "docstring",
    [None, "Reads all the lines.", "Deprecated since two. " + REST, REST[:9]],
)
def test_no_pair(docstring):
    assert pair_of(docstring) is None


def test_pairs_of_a_file_have_its_package_as_source():
    found = {row["name"]: row for row in rows_of(SOURCE, "pages")}
    assert {name: row["summary"] for name, row in found.items()} == {
        "Reader": "Reads all the lines",
        "go": "Goes to the next one",
    }
    assert {row["source"] for row in found.values()} == {"python:pages"}


def test_files_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(docstrings, "MOST_OF_PACKAGE", 3)
    for name in ("a/one.py", "a/two.py", "b.py", "site-packages/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    (tmp_path / "bad.py").write_text("def f(:")
    found = read_docstrings([tmp_path])
    sources = [row["source"] for row in found]
    assert sorted(sources) == ["python:a"] * 3 + ["python:b"] * 2
    assert read_docstrings([tmp_path]) == found


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
