import pytest

from tf_led.cli.python_sentences import first_sentence, is_wanted


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
