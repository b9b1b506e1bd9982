"""Chooses what each run learns from: `python -m ...mix CORPUS FOLDER`.

The first run learns to copy: the summary is the run of the text's own words that comes
closest to it (`spans`). The second learns to write, from the beginnings of texts;
half of the manual pages are read from their description, half from their very start.
The third goes on with it. The fourth reads fewer texts to a later end: it learns to
find its way. The fifth reads long manual pages nearly whole, and short texts beside.

Texts are varied. Some have other words in the places of those that text and summary
share, some stand as a terminal would show them. And as few source packages have many
manual pages, some package descriptions and docstrings stand in a manual page, in the
place of its description: where to look is learnt from sixty thousand texts then, and
not from how some hundreds of projects write. Where a source package has many pages, the
runs that write draw some of them, others at every pass.
"""

import random
import sys
import textwrap
from collections import Counter, defaultdict
from pathlib import Path

from examples.bundled_model.baselines import HEADING
from examples.bundled_model.renamed import Renamer
from examples.bundled_model.rows import read_rows, write_rows
from examples.bundled_model.spans import span_row
from examples.bundled_model.texts import LEARNT_ONLY

RENAMED_SHARE = 0.2
WRAPPED_SHARE = 0.2
FRAMED_SHARE = 0.25  # of texts that are no manual pages
# Times that a run reads a text, pages more often: they are few, and harder.
COPYING_PASSES = {"package": 1, "page": 2}
WRITING_PASSES = {"package": 2, LEARNT_ONLY: 1}
WRITING_PAGE_PASSES = 6
COLUMNS = range(60, 100)
MARGINS = (0, 0, 4, 7)
# Characters of a document.
BEGINNING, LATER_CHARS, LONGEST_CHARS = 700, 4500, 40_000
LATER = {"page": 9000, "package": 3000}
# Of the fifth run: short pages, and package descriptions as they are and in pages.
LONGEST = {"page": 2500, "package": 1200}
FAMILY_MOST = 250  # pages of a source package, and as many long ones
SHORT = 14  # words of a summary
MEASURED = {"package": 500, "page": 421}


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


def framed(row, page):
    r"""Puts a text where a manual page has the first paragraph of its description.

    Args:
        row: dict with `document`.
        page: dict with `document`; without the heading it frames nothing.

    Returns:
        dict like `row`.

    Example:
        >>> from examples.bundled_model.mix import framed
        >>> page = {"document": "SYNOPSIS\nls\n\nDESCRIPTION\nLists.\n\nBUGS\nFew."}
        >>> framed({"document": "A game."}, page)["document"]
        'SYNOPSIS\nls\n\nDESCRIPTION\nA game.\n\nBUGS\nFew.'
    """
    heading = HEADING.search(page["document"])
    if not heading:
        return row
    before = page["document"][: heading.end()]
    after = page["document"][heading.end() :].partition("\n\n")[2]
    return {**row, "document": f"{before}{row['document']}\n\n{after}"}


def cut(row):
    """The row with the beginning of its document, of a page's description."""
    heading = HEADING.search(row["document"])
    start = heading.end() if heading else 0
    return begun({**row, "document": row["document"][start:]})


def begun(row, length=BEGINNING):
    """The row with its document from its start to where a run ends reading."""
    return {**row, "document": row["document"][:length]}


def varied(rows, seed=0):
    """The rows in an order of chance, some with other words, some with broken lines.

    Args:
        rows: list of dict.
        seed: int.

    Returns:
        List of dict.
    """
    chance, renamer = random.Random(seed), Renamer(rows, seed)
    drawn = chance.sample(rows, len(rows))
    drawn = [renamer(r) if chance.random() < RENAMED_SHARE else r for r in drawn]
    return [wrapped(r, chance) if chance.random() < WRAPPED_SHARE else r for r in drawn]


def copying(learnt):
    """The rows of the first run.

    Args:
        learnt: dict from kind to list of dict.

    Returns:
        List of dict, in their order.
    """
    rows = []
    for kind, passes in COPYING_PASSES.items():
        rows += [span_row(cut(row)) for row in learnt[kind]] * passes
    return varied([row for row in rows if row])


def frames_of(pages, length):
    """The pages whose description begins early enough to be read."""
    found = [(HEADING.search(page["document"]), page) for page in pages]
    return [page for heading, page in found if heading and heading.end() < length / 2]


def writing(learnt, seed=1):
    """The rows of the second run.

    Args:
        learnt: dict from kind to list of dict.
        seed: int.

    Returns:
        List of dict, in their order, pass by pass.
    """
    chance = random.Random(seed)
    frames = frames_of(learnt["page"], BEGINNING)
    others = {}
    for kind, passes in WRITING_PASSES.items():
        texts = learnt[kind] * passes
        others[kind] = random.Random(kind).sample(texts, len(texts))
    rows = []
    for number in range(WRITING_PAGE_PASSES):
        drawn = {kind: all[number::WRITING_PAGE_PASSES] for kind, all in others.items()}
        drawn["page"] = few_of_family(learnt["page"], chance)
        a_pass = [
            in_part(row, kind, frames, chance)
            for kind, texts in drawn.items()
            for row in texts
        ]
        rows += varied(a_pass, seed + number)
    return rows


def further(learnt, seed=50):
    """The rows of the third run, drawn as those of the second: list of dict."""
    return writing(learnt, seed)


def in_part(row, kind, frames, chance):
    """A row as the runs that write read it: from one of two starts, or in a frame."""
    if kind == "page":
        return cut(row) if chance.random() < 0.5 else begun(row)
    if frames and chance.random() < FRAMED_SHARE:
        row = framed(row, chance.choice(frames))
    return begun(row)


def later(learnt, seed=100):
    """The rows of the fourth run.

    Args:
        learnt: dict from kind to list of dict.
        seed: int.

    Returns:
        List of dict, in their order.
    """
    chance = random.Random(seed)
    frames = frames_of(learnt["page"], LATER_CHARS)
    packages = learnt["package"][: LATER["package"]]
    rows = framed_all(packages, frames, chance)
    pages = few_of_family(learnt["page"], chance)[: LATER["page"]]
    # A package's description as it is, beside: it is not to be forgotten.
    others = learnt["package"][LATER["package"] :][: LATER["package"]]
    return varied([begun(row, LATER_CHARS) for row in [*rows, *pages, *others]], seed)


def short_ones(rows):
    """The rows whose summary is no longer than most are."""
    return [row for row in rows if len(row["summary"].split()) <= SHORT]


def families_of(rows):
    """The rows of each source package, in their order: lists of dict."""
    families = defaultdict(list)
    for row in rows:
        families[row["source"]].append(row)
    return families.values()


def family_end_off(rows):
    """Takes off the end that most summaries of a source package have in common.

    Args:
        rows: list of dict.

    Returns:
        List of dict.
    """
    taken_off = []
    for family in families_of(rows):
        ends = Counter(ending_of(row["summary"]) for row in family)
        end, count = ends.most_common(1)[0]
        if end and count > max(1, len(family) / 2):
            family = [without_end(row, end) for row in family]
        taken_off += family
    return taken_off


def without_end(row, end):
    """The row without the end of its summary, where it ends so."""
    return {**row, "summary": row["summary"].removesuffix(end)}


def ending_of(summary):
    """The last sentence of a summary that has more than one, else ""."""
    first, mark, last = summary.rstrip(".").rpartition(". ")
    return summary[len(first) + 1 :] if mark else ""


def few_of_family(rows, chance):
    """At most FAMILY_MOST rows of a source package, drawn, in an order of chance."""
    families = families_of(chance.sample(rows, len(rows)))
    kept = [row for family in families for row in family[:FAMILY_MOST]]
    return chance.sample(kept, len(kept))


def framed_all(rows, frames, chance):
    """The rows, each in a frame that is drawn; as they are where there is none."""
    return [framed(row, chance.choice(frames)) if frames else row for row in rows]


def longest(learnt, seed=200):
    """The rows of the fifth run: long pages, descriptions in such, and short texts.

    Args:
        learnt: dict from kind to list of dict.
        seed: int.

    Returns:
        List of dict, in their order.
    """
    chance = random.Random(seed)
    pages = family_end_off(short_ones(learnt["page"]))
    long = [page for page in pages if len(page["document"]) > LATER_CHARS]
    others = [page for page in pages if len(page["document"]) <= LATER_CHARS]
    packages = short_ones(learnt["package"])
    packages = chance.sample(packages, min(2 * LONGEST["package"], len(packages)))
    half = len(packages) // 2
    rows = framed_all(packages[:half], frames_of(long, LATER_CHARS), chance)
    rows += packages[half:] + few_of_family(long, chance)
    rows += few_of_family(others, chance)[: LONGEST["page"]]
    return varied([begun(row, LONGEST_CHARS) for row in rows], seed)


def write_mix(corpus, folder):
    """Writes the rows of the five runs and of validation as JSON lines.

    Args:
        corpus: path of the folder that `corpus` wrote.
        folder: path.
    """
    corpus, folder = Path(corpus), Path(folder)
    kinds = [*MEASURED, LEARNT_ONLY]
    learnt = {kind: read_rows(corpus / f"train.{kind}.jsonl") for kind in kinds}
    for run in (copying, writing, further, later, longest):
        write_rows(folder / f"{run.__name__}.jsonl", run(learnt))
    measured = []
    for kind, most in MEASURED.items():
        measured += read_rows(corpus / f"validation.{kind}.jsonl")[:most]
    write_rows(folder / "validation.jsonl", measured)


if __name__ == "__main__":
    write_mix(sys.argv[1], sys.argv[2])
