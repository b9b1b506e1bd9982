import pytest

from examples.bundled_model.spans import LONGEST, span_row, stem


def span_of(document, summary):
    found = span_row({"document": document, "summary": summary, "name": "a"})
    return found and found["summary"]


@pytest.mark.parametrize(
    ("summary", "span"),
    [
        ("copy a file", "copies one file"),
        ("Copies files.", "copies one file"),
        ("file copy (old)", "copies one file"),
        ("old rope", "old rope"),
    ],
)
def test_the_closest_words_take_the_place_of_the_summary(summary, span):
    text = "The command copies one file, or two.\n\nIt is an old rope."
    assert span_of(text, summary) == span


def test_what_is_not_close_is_left_out():
    assert span_of("The command copies a file.", "a tree of the old mill") is None


def test_common_words_count_for_nothing():
    assert span_of("It is the end of it.", "the of it is a and") is None


def test_words_far_from_the_start_are_not_looked_for():
    assert span_of("A rope. " * 100 + "The old mill turns.", "old mill turns") is None


def test_a_span_stays_within_a_sentence_and_its_length():
    text = "The old mill. It turns. " + "old " + "and so on " * LONGEST + "mill."
    assert span_of(text, "old mill turns") == "old mill"


def test_the_rest_of_the_row_is_kept():
    row = {"document": "An old rope.", "summary": "old rope", "name": "rope"}
    assert span_row(row) == row


@pytest.mark.parametrize(
    ("word", "other"), [("copy", "Copies"), ("file", "files,"), ("list", "listing")]
)
def test_forms_of_a_word_are_one(word, other):
    assert stem(word) == stem(other)
