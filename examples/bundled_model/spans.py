"""The words of a text that come closest to its summary, to learn copying from.

A row whose summary is a run of the text's own words teaches to find and to copy, and
nothing else; what summaries say in words of their own is learnt later.
"""

import re

from examples.bundled_model.baselines import sentences_of

START = 600  # characters, in which the words must stand
SENTENCES = 4
LONGEST = 16  # words
LEAST_F1 = 0.5
# Enough for "copies" to be "copy"; a word that is cut too short is cut so twice.
ENDING = re.compile(r"(?:ies|es|s|ed|ing|y|e)$")
BARE = re.compile(r"[^\w]+")
# Words that say nothing about a text; a span neither begins nor ends with them.
COMMON_WORDS = "a an and are as by for from in into is it of on or that the to with"
COMMON = frozenset(COMMON_WORDS.split())


def stem(word):
    """A word as it is compared, without marks and its ending; "" for a common one."""
    bare = BARE.sub("", word.lower())
    if bare in COMMON:
        return ""
    return ENDING.sub("", bare) if len(bare) > 3 else bare


def span_row(row):
    """Puts the closest words of the document in the place of the summary.

    Args:
        row: dict with `document` and `summary`.

    Returns:
        dict like it, or None where no words are close enough.

    Example:
        >>> from examples.bundled_model.spans import span_row
        >>> text = "The command copies a file, or two of them. It is old."
        >>> span_row({"document": text, "summary": "copy files"})["summary"]
        'copies a file'
    """
    said = stems_of(row["summary"].split())
    best, found = LEAST_F1, None
    for sentence in sentences_of(row["document"][:START])[:SENTENCES]:
        words = sentence.split()
        for score, start, end in scored_spans(words, said):
            if score > best:
                best, found = score, " ".join(words[start:end])
    return {**row, "summary": found.strip(" ,;:.()")} if found else None


def stems_of(words):
    """The different stems of words that are not common ones."""
    return {stem(word) for word in words} - {""}


def scored_spans(words, said):
    """Scores the spans of a sentence that begin and end with words of the summary.

    Args:
        words: list of str.
        said: set of str, the stems of the summary.

    Yields:
        (float, int, int): F1 of different stems, first word, word behind the last.
    """
    stems = [stem(word) for word in words]
    places = [n for n, one in enumerate(stems) if one in said]
    for start in places:
        for last in places:
            if start <= last < start + LONGEST:
                there = {*stems[start : last + 1]} - {""}
                common = len(there & said)
                yield 2 * common / (len(there) + len(said)), start, last + 1
