"""Finds the words of a document that come closest to its summary.

A manual page mostly says in its first sentences, behind a subject, what the line at its
top says. There are too few families of pages to learn other ways to put it, but enough
to learn which words to take.
"""

import collections
import re

MOST_READ = 70  # words of a document
LENGTHS = range(2, 17)  # words of an extract
ENDING = re.compile(r"(?:ing|ed|es|s)$")
LETTERS = re.compile(r"[^\W_]+")


def stems(words):
    """What words are compared by.

    Args:
        words: list of str.

    Returns:
        List of str.

    Example:
        >>> from examples.bundled_model.extracts import stems
        >>> stems(["Reads", "(files),"])
        ['read', 'fil']
    """
    letters = ["".join(LETTERS.findall(word.lower())) for word in words]
    return [ENDING.sub("", one) if len(one) > 4 else one for one in letters]


def extract(document, summary):
    """Takes the words in a row that share most with a summary.

    Args:
        document: str.
        summary: str.

    Returns:
        (str, float): the words, and F1 of the words that they share, 0 to 1. Of several
        the first are taken, and of those the fewest.

    Example:
        >>> from examples.bundled_model.extracts import extract
        >>> extract("The cat command writes files to its output.", "write files")
        ('writes files', 1.0)
    """
    words = document.split()[:MOST_READ]
    own, said = stems(words), collections.Counter(stems(summary.split()))
    best, score = "", 0.0
    for start in range(len(words)):
        left, shared = said.copy(), 0
        for end in range(start, min(start + LENGTHS[-1], len(words))):
            if left[own[end]] > 0:
                left[own[end]] -= 1
                shared += 1
            found = 2 * shared / (end + 1 - start + said.total())
            if found > score and end + 1 - start in LENGTHS:
                best, score = " ".join(words[start : end + 1]), found
    return best.strip(".,;:()"), score
