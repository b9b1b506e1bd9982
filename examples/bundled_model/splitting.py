"""Which texts are learnt from, which choose the recipe, and which measure the result.

A source package is in one part whole, with all its versions: `gcc-11` and `gcc-12` are
one family. The part follows from the family's name alone, so that it is the same on
every machine and for both kinds of text. Most families of package descriptions are
drawn by a hash; so few families have many manual pages that some of them are named
here, before anything was measured. What other families share with the measured texts,
sentence by sentence, is left out of the texts to learn from.
"""

import collections
import hashlib
import re

PARTS = ("train", "validation", "test")
# Of a thousand families.
NUM_TEST, NUM_VALIDATION = 60, 30
NAMED = {
    "test": ("netpbm-free", "git", "tk", "ncurses", "hwloc", "iproute", "pam", "gnupg"),
    "validation": ("util-linux", "tcl", "shadow", "iwidgets", "cmake"),
}
LEAST_WORDS = 5  # of a sentence that says something
# A sentence that so many families have is a formula, like that of a licence.
FORMULA_FAMILIES = 12
VERSION = re.compile(r"[-.]?v?\d[\d.]*")
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n")
WORD = re.compile(r"[^\W_]+")


def family_of(source):
    """The name of a source package without versions.

    Args:
        source: str.

    Returns:
        str.

    Example:
        >>> from examples.bundled_model.splitting import family_of
        >>> family_of("gcc-12-cross"), family_of("python3.11"), family_of("7zip")
        ('gcc-cross', 'python', '7zip')
    """
    return source[:1] + VERSION.sub("", source[1:])


def part_of(source):
    """The part of the data that a source package is in.

    Args:
        source: str.

    Returns:
        "train", "validation" or "test".

    Example:
        >>> from examples.bundled_model.splitting import part_of
        >>> part_of("git"), part_of("gcc-11") == part_of("gcc-12")
        ('test', True)
    """
    family = family_of(source)
    for part, families in NAMED.items():
        if family in families:
            return part
    digest = hashlib.sha256(family.encode()).digest()
    number = int.from_bytes(digest[:8], "big") % 1000
    if number < NUM_TEST:
        return "test"
    return "validation" if number < NUM_TEST + NUM_VALIDATION else "train"


def sentences_of(text):
    r"""The sentences of a text as they are compared: words in lower case.

    Args:
        text: str.

    Returns:
        Set of str, without sentences of fewer than five words.

    Example:
        >>> from examples.bundled_model.splitting import sentences_of
        >>> sentences_of("See there. It is a Tool, and\nit does more.")
        {'it is a tool and it does more'}
    """
    found = (WORD.findall(one.lower()) for one in SENTENCE_END.split(text))
    return {" ".join(words) for words in found if len(words) >= LEAST_WORDS}


def without_shared_sentences(rows, measured):
    """Leaves out texts that share a sentence with measured ones.

    Args:
        rows: list of dict with `document` and `source`.
        measured: list of dict, the same.

    Returns:
        List of dict, those of `rows` that share none. A sentence that twelve families
        or more have in common is a formula and does not count.
    """
    families = collections.defaultdict(set)
    for row in [*rows, *measured]:
        for sentence in sentences_of(row["document"]):
            families[sentence].add(family_of(row["source"]))
    seen = {
        sentence
        for row in measured
        for sentence in sentences_of(row["document"])
        if len(families[sentence]) < FORMULA_FAMILIES
    }
    return [row for row in rows if not seen & sentences_of(row["document"])]
