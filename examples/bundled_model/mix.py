"""Chooses what each run learns from: `python -m ...mix CORPUS FOLDER`.

The first run reads the beginnings of all texts, in batches that are cheap, and of a
manual page that of its description; some are as a terminal would show them, and in some
the words that text and summary share are others. The second reads fewer texts, pages
from their start to a later end.
"""

import random
import sys
import textwrap
from pathlib import Path

from examples.bundled_model.baselines import HEADING
from examples.bundled_model.renamed import Renamer
from examples.bundled_model.rows import read_rows, write_rows

PASSES = 2
PAGE_TIMES = 2  # pages are few, and harder
RENAMED_SHARE = 0.3
WRAPPED_SHARE = 0.2
COLUMNS = range(60, 100)
MARGINS = (0, 0, 4, 7)
# Characters of a document.
BEGINNING, LATER_CHARS = 800, 9000
LATER = {"page": 1600, "package": 1600}
MEASURED = {"package": 500, "page": 243}


def wrapped(row, chance):
    """Breaks the lines of a document as a terminal does.

    Args:
        row: dict with `document`.
        chance: random.Random, draws the width and the margin.

    Returns:
        dict like it.
    """
    width, margin = chance.choice(COLUMNS), " " * chance.choice(MARGINS)
    lines = row["document"].split("\n")
    filled = [
        textwrap.fill(line, width, initial_indent=margin, subsequent_indent=margin)
        for line in lines
    ]
    return {**row, "document": "\n".join(filled)}


def varied(row, renamer, chance):
    """The row as it is, or with other words, or with its lines broken, or both."""
    if chance.random() < RENAMED_SHARE:
        row = renamer(row)
    return wrapped(row, chance) if chance.random() < WRAPPED_SHARE else row


def cut(row):
    """The row with the beginning of its document, of a page's description."""
    heading = HEADING.search(row["document"])
    start = heading.end() if heading else 0
    return {**row, "document": row["document"][start : start + BEGINNING]}


def beginnings(rows, seed=0):
    """The rows of the first run, in their order.

    Args:
        rows: list of dict.
        seed: int.

    Returns:
        List of dict.
    """
    chance, renamer = random.Random(seed), Renamer(rows, seed)
    return [varied(row, renamer, chance) for row in chance.sample(rows, len(rows))]


def later(pages, packages, seed=1):
    """The rows of the second run.

    Args:
        pages: list of dict.
        packages: list of dict.
        seed: int.

    Returns:
        List of dict.
    """
    rows = [*pages[: LATER["page"]], *packages[: LATER["package"]]]
    cut_rows = [{**row, "document": row["document"][:LATER_CHARS]} for row in rows]
    return beginnings(cut_rows, seed)


def write_mix(corpus, folder):
    """Writes `beginnings`, `later` and `validation` as JSON lines.

    Args:
        corpus: path of the folder that `corpus` wrote.
        folder: path.
    """
    corpus, folder = Path(corpus), Path(folder)
    learnt = {kind: read_rows(corpus / f"train.{kind}.jsonl") for kind in MEASURED}
    rows = [cut(r) for r in [*learnt["package"], *learnt["page"] * PAGE_TIMES]]
    passes = [row for seed in range(PASSES) for row in beginnings(rows, seed)]
    write_rows(folder / "beginnings.jsonl", passes)
    write_rows(folder / "later.jsonl", later(learnt["page"], learnt["package"]))
    measured = []
    for kind, most in MEASURED.items():
        measured += read_rows(corpus / f"validation.{kind}.jsonl")[:most]
    write_rows(folder / "validation.jsonl", measured)


if __name__ == "__main__":
    write_mix(sys.argv[1], sys.argv[2])
