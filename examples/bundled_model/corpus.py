"""Writes what the bundled model learns and is measured on, as JSONL.

`python -m examples.bundled_model.corpus FOLDER` reads the standard library and the
packages installed here. Nothing measured has been learnt: packages are on one side
whole, and of a document whose source, or name and summary, is also among those to
learn from the measured one is dropped.
"""

import collections
import json
import random
import sys
import warnings
from pathlib import Path

from examples.bundled_model.docstring_corpus import documents_of
from examples.bundled_model.packages import files_of, folders, part_of

PARTS = ("train", "validation", "test")
KINDS = ("function", "class", "module")
# One sentence on hundreds of functions teaches it, not how to read.
MOST_ALIKE = 4
MOST_CHARS = 60_000  # a module of 4,096 tokens has about 15,000


def collect(places):
    """Reads every package of some folders.

    Args:
        places: list of Path.

    Returns:
        Dict from part to list of (package, Document).
    """
    found = {part: [] for part in PARTS}
    for folder in places:
        for package, path in files_of(folder):
            rows = found[part_of(package)]
            rows.extend((package, one) for one in read(path))
    return found


def read(path):
    """The documents of a file; none where it is no Python of this version's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings of others
            return documents_of(path.read_text(encoding="utf-8"), path.stem)
    except (SyntaxError, UnicodeDecodeError, RecursionError, ValueError):
        return []


def squeezed(text):
    return "".join(text.split())


def without_repetition(rows, learnt=()):
    """Drops documents that are there already, and sentences that are too frequent.

    Args:
        rows: list of (str, Document).
        learnt: the same, of the part that these must not repeat.

    Returns:
        List of (str, Document).
    """
    sources = {squeezed(one.document) for _, one in learnt}
    said = {(last_name(one.name), one.summary.lower()) for _, one in learnt}
    most = 1 if learnt else MOST_ALIKE
    counts, kept = collections.Counter(), []
    for package, one in rows:
        source, text = squeezed(one.document), one.summary.lower()
        is_known = source in sources or (last_name(one.name), text) in said
        if not is_known and counts[text] < most and len(one.document) <= MOST_CHARS:
            kept.append((package, one))
            sources.add(source)
            counts[text] += 1
    return kept


def last_name(name):
    return name.rsplit(".", 1)[-1]


def write_corpus(folder, places):
    """Writes `PART.KIND.jsonl` for every part and kind of document.

    Args:
        folder: Path, made where it does not exist.
        places: list of Path, folders that hold packages.

    Returns:
        Dict from file name to the number of its documents.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, sizes = collect(places), {}
    learnt = without_repetition(found["train"])
    for part in PARTS:
        rows = learnt if part == "train" else without_repetition(found[part], learnt)
        random.Random(0).shuffle(rows)
        for kind in KINDS:
            name = f"{part}.{kind}.jsonl"
            chosen = [row for row in rows if row[1].kind == kind]
            lines = [as_line(package, one) for package, one in chosen]
            (folder / name).write_text("".join(lines), encoding="utf-8")
            sizes[name] = len(lines)
    return sizes


def as_line(package, one):
    return json.dumps({"package": package, **vars(one)}) + "\n"


if __name__ == "__main__":
    for name, size in write_corpus(Path(sys.argv[1]), folders()).items():
        print(f"{name}: {size:,}")
