"""Writes what the bundled model learns and is measured on, as JSON lines.

`python -m examples.bundled_model.corpus TEXTS FOLDER` splits what `texts` wrote into
`PART.KIND.jsonl`.
"""

import collections
import random
import sys
from pathlib import Path

from examples.bundled_model.rows import read_rows, write_rows
from examples.bundled_model.splitting import (
    PARTS,
    family_of,
    part_of,
    without_shared_sentences,
)
from examples.bundled_model.texts import KINDS, LEARNT_ONLY

# One synopsis on hundreds of packages teaches it, not how to read.
MOST_ALIKE = 4
LEAST_WORDS = {"package": 8, "page": 20}  # of a document
SUMMARY_WORDS = range(2, 31)
# Measured are at most so many texts of a family, and of a kind.
FAMILY_MOST = {"package": 20, "page": 60}
MEASURED_MOST = {"validation": 1000, "test": 2000}


def without_repetition(rows, least_words):
    """Drops texts that are there already or too short, and frequent summaries.

    Args:
        rows: list of dict.
        least_words: int, words that a document has at least.

    Returns:
        List of dict.
    """
    documents, counts, kept = set(), collections.Counter(), []
    for row in rows:
        words, summary = tuple(row["document"].split()), row["summary"].lower()
        is_fit = len(words) >= least_words and len(summary.split()) in SUMMARY_WORDS
        if is_fit and words not in documents and counts[summary] < MOST_ALIKE:
            kept.append(row)
            documents.add(words)
            counts[summary] += 1
    return kept


def drawn(rows, most, most_of_family, seed=0):
    """Draws texts to measure on.

    Args:
        rows: list of dict.
        most: int, how many.
        most_of_family: int, how many of one family.
        seed: int.

    Returns:
        List of dict.
    """
    counts, kept = collections.Counter(), []
    for row in random.Random(seed).sample(rows, len(rows)):
        family = family_of(row["source"])
        if counts[family] < most_of_family and len(kept) < most:
            kept.append(row)
            counts[family] += 1
    return kept


def split(texts):
    """Puts every text in its part.

    Args:
        texts: dict from kind to list of dict with `document`, `summary` and `source`.

    Returns:
        Dict from (part, kind) to list of dict. What is learnt from shares no sentence
        with what is measured, and validation none with test.
    """
    found = {}
    for kind, rows in texts.items():
        kept = without_repetition(rows, LEAST_WORDS[kind])
        for part in PARTS:
            found[part, kind] = [r for r in kept if part_of(r["source"]) == part]
    for part, others in (("validation", ("test",)), ("train", ("test", "validation"))):
        measured = [row for o in others for kind in texts for row in found[o, kind]]
        for kind in texts:
            found[part, kind] = without_shared_sentences(found[part, kind], measured)
    for (part, kind), rows in found.items():
        if part in MEASURED_MOST:
            found[part, kind] = drawn(rows, MEASURED_MOST[part], FAMILY_MOST[kind])
    return found


def learnt_only(rows, found):
    """Keeps what may be learnt from of texts of which none is measured.

    Args:
        rows: list of dict.
        found: dict as of `split`.

    Returns:
        List of dict, without what shares a sentence with measured texts.
    """
    measured = [
        row for (part, _), all in found.items() if part != "train" for row in all
    ]
    return without_shared_sentences(without_repetition(rows, 1), measured)


def write_corpus(found, folder):
    """Writes `PART.KIND.jsonl` for every part and kind of text.

    Args:
        found: dict from (part, kind) to list of dict.
        folder: Path, made where it does not exist.

    Returns:
        Dict from file name to the number of its texts.
    """
    sizes = {}
    for (part, kind), rows in found.items():
        path = folder / f"{part}.{kind}.jsonl"
        write_rows(path, random.Random(0).sample(rows, len(rows)))
        sizes[path.name] = len(rows)
    return sizes


if __name__ == "__main__":
    texts = {kind: read_rows(Path(sys.argv[1]) / f"{kind}.jsonl") for kind in KINDS}
    found = split(texts)
    rows = read_rows(Path(sys.argv[1]) / f"{LEARNT_ONLY}.jsonl")
    found["train", LEARNT_ONLY] = learnt_only(rows, found)
    for name, size in write_corpus(found, Path(sys.argv[2])).items():
        print(f"{name}: {size:,}")
