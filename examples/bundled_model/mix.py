"""Chooses what each run learns from: `python -m ...mix CORPUS FOLDER`.

The first run reads the beginnings of all texts, in batches that are cheap, and of a
manual page that of its description; some are as a terminal would show them, and in some
the words that text and summary share are others: it learns to copy. The second reads
longer beginnings, half of the pages from their very start, fewer of them changed, and
docstrings: it learns to write. The third reads fewer texts, pages from their start to
a later end: it learns to find its way.
"""

import random
import sys
import textwrap
from pathlib import Path

from examples.bundled_model.baselines import HEADING
from examples.bundled_model.renamed import Renamer
from examples.bundled_model.rows import read_rows, write_rows
from examples.bundled_model.texts import LEARNT_ONLY

PASSES = 2
PAGE_TIMES = 2  # pages are few, and harder
RENAMED_SHARE = 0.3
WRAPPED_SHARE = 0.2
# Of the second run.
MORE_PASSES, MORE_PAGE_TIMES, MORE_RENAMED_SHARE = 3, 4, 0.1
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


def varied(row, renamer, chance, renamed_share):
    """The row as it is, or with other words, or with its lines broken, or both."""
    if chance.random() < renamed_share:
        row = renamer(row)
    return wrapped(row, chance) if chance.random() < WRAPPED_SHARE else row


def cut(row):
    """The row with the beginning of its document, of a page's description."""
    heading = HEADING.search(row["document"])
    start = heading.end() if heading else 0
    return {**row, "document": row["document"][start : start + BEGINNING]}


def beginnings(rows, seed=0, renamed_share=RENAMED_SHARE):
    """The rows of a pass, varied, in their order.

    Args:
        rows: list of dict.
        seed: int.
        renamed_share: float, the fraction of rows with other words.

    Returns:
        List of dict.
    """
    chance, renamer = random.Random(seed), Renamer(rows, seed)
    drawn = chance.sample(rows, len(rows))
    return [varied(row, renamer, chance, renamed_share) for row in drawn]


def more(pages, others, seed=PASSES):
    """The rows of the second run, in their order.

    Args:
        pages: list of dict.
        others: list of dict.
        seed: int.

    Returns:
        List of dict.
    """
    starts = [{**page, "document": page["document"][:BEGINNING]} for page in pages]
    halves = [*map(cut, pages), *starts] * (MORE_PAGE_TIMES // 2)
    rows = [*halves, *map(cut, others)]
    seeds = range(seed, seed + MORE_PASSES)
    return [row for n in seeds for row in beginnings(rows, n, MORE_RENAMED_SHARE)]


def later(pages, packages, seed=1):
    """The rows of the third run.

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
    """Writes the rows of the three runs and of validation as JSON lines.

    Args:
        corpus: path of the folder that `corpus` wrote.
        folder: path.
    """
    corpus, folder = Path(corpus), Path(folder)
    learnt = {kind: read_rows(corpus / f"train.{kind}.jsonl") for kind in MEASURED}
    rows = [cut(r) for r in [*learnt["package"], *learnt["page"] * PAGE_TIMES]]
    passes = [row for seed in range(PASSES) for row in beginnings(rows, seed)]
    write_rows(folder / "beginnings.jsonl", passes)
    docstrings = read_rows(corpus / f"train.{LEARNT_ONLY}.jsonl")
    others = [*learnt["package"], *docstrings]
    write_rows(folder / "more.jsonl", more(learnt["page"], others))
    write_rows(folder / "later.jsonl", later(learnt["page"], learnt["package"]))
    measured = []
    for kind, most in MEASURED.items():
        measured += read_rows(corpus / f"validation.{kind}.jsonl")[:most]
    write_rows(folder / "validation.jsonl", measured)


if __name__ == "__main__":
    write_mix(sys.argv[1], sys.argv[2])
