"""Renames what documents are about, in source and summary alike.

A model that has seen `get_file` and "the file" often enough writes "file" without
having read it. After `file` has become `banana` in both, only reading helps. That is
what teaches a small model to copy.
"""

import collections
import random
import re

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
ENDINGS = ("", "s", "es", "d", "ed", "ing", "er", "ly")
START = 600  # characters, in which a word to be renamed must stand
KEPT_WORDS = 400  # the most frequent of summaries: "library", "files", "the"
FEWEST = 8  # times that a word must have been seen to become another's name


class Renamer:
    """Gives words of documents other names.

    Args:
        rows: list of dict with `document` and `summary`, where names come from.
        seed: int.

    Example:
        >>> from examples.bundled_model.renamed import Renamer
        >>> row = {"document": "def cut_rope(): pass", "summary": "Cuts the rope."}
        >>> names = [{"document": "tree " * 8, "summary": "of the and"}]
        >>> renamer = Renamer(names, seed=0)
        >>> renamer.kept = {"cut"}
        >>> renamer(row)
        {'document': 'def cut_tree(): pass', 'summary': 'Cuts the tree.'}
    """

    def __init__(self, rows, seed=0):
        said, seen = collections.Counter(), collections.Counter()
        for row in rows:
            said.update(words(row["summary"]))
            seen.update(words(row["document"][:START]))
        self.kept = {word for word, _ in said.most_common(KEPT_WORDS)}
        self.names = sorted(
            word for word, n in seen.items() if n >= FEWEST and 3 <= len(word) <= 12
        )
        self.random = random.Random(seed)

    def __call__(self, row):
        """Renames the words that document and summary of one row share.

        Args:
            row: dict with `document` and `summary`.

        Returns:
            dict like it.
        """
        there, said = words(row["document"][:START]), {*words(row["summary"])}
        shared = {
            word
            for word in dict.fromkeys(there)
            if len(word) > 2
            and word not in self.kept
            and any(word + ending in said for ending in ENDINGS)
        }
        names = {word: self.random.choice(self.names) for word in sorted(shared)}
        return {
            **row,
            "document": replaced(row["document"], names, endings=("",)),
            "summary": replaced(row["summary"], names, endings=ENDINGS),
        }


def words(text):
    """The words of a text or of its identifiers, in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def replaced(text, names, endings):
    """Puts names in the place of words, in the words' case.

    Args:
        text: str.
        names: dict from word to name, both in lower case.
        endings: tuple of str that a word may have.

    Returns:
        str.
    """

    def replace(match):
        word = match[0]
        for ending in endings:
            stem = word.lower().removesuffix(ending)
            if word.lower() == stem + ending and stem in names:
                return in_case_of(word, names[stem] + ending)
        return word

    return WORD.sub(replace, text)


def in_case_of(word, name):
    if word.isupper() and len(word) > 1:
        return name.upper()
    return name.capitalize() if word[0].isupper() else name
