"""Chooses what each of the three runs learns from: `python -m ...mix CORPUS FOLDER`.

The first run learns to copy words out of names; the second reads the beginnings of
functions and classes, whose batches are cheap, as they are and with words renamed; the
third reads everything to its end, up to whole modules.
"""

import json
import random
import sys
from pathlib import Path

from examples.bundled_model.naming import naming
from examples.bundled_model.renamed import Renamer

MOST_WORDS = 15  # a batch is as long as its longest summary
LONG = 450  # characters; about 128 tokens
NAMED = 10_000  # so that the second run does not forget to copy
# How many documents the third run sees of each kind.
WHOLE = {"module": 1200, "long": 3500, "short": 2500}


def read(corpus, part, kinds):
    """Reads documents of some kinds.

    Args:
        corpus: path of the folder that `corpus` wrote.
        part: str, "train", "validation" or "test".
        kinds: tuple of str.

    Returns:
        List of dict.
    """
    rows = []
    for kind in kinds:
        path = Path(corpus) / f"{part}.{kind}.jsonl"
        with open(path, encoding="utf-8") as file:
            rows.extend(json.loads(line) for line in file)
    return rows


def write(path, rows):
    """Writes documents as JSONL, in an order of their own.

    Args:
        path: Path.
        rows: list of dict.
    """
    random.Random(0).shuffle(rows)
    lines = [json.dumps(row) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def is_brief(row):
    return len(row["summary"].split()) <= MOST_WORDS


def beginnings(rows, named):
    """Rows as they are, renamed in two ways, and some that teach copying alone.

    Args:
        rows: list of dict.
        named: list of dict, what `naming` made.

    Returns:
        List of dict.
    """
    renamer, chosen = Renamer(rows, seed=0), [*rows, *named[:NAMED]]
    for row in rows:
        chosen += [new for new in (renamer(row), renamer(row)) if new != row]
    return chosen


def whole(modules, defined):
    """Rows of every length, to be read to their end; every second one is renamed.

    Args:
        modules: list of dict.
        defined: list of dict, functions and classes.

    Returns:
        List of dict.
    """
    renamer, chosen = Renamer(defined, seed=1), modules[: WHOLE["module"]]
    lengths = {
        "long": [row for row in defined if len(row["document"]) > LONG],
        "short": [row for row in defined if len(row["document"]) <= LONG],
    }
    for kind, rows in lengths.items():
        for number, row in enumerate(rows[: WHOLE[kind]]):
            chosen.append(renamer(row) if number % 2 else row)
    return chosen


def write_mix(corpus, folder):
    """Writes `names`, `beginnings`, `whole` and `validation` as JSONL.

    Args:
        corpus: path of the folder that `corpus` wrote.
        folder: Path, made where it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    defined = [r for r in read(corpus, "train", ("function", "class")) if is_brief(r)]
    modules = [r for r in read(corpus, "train", ("module",)) if is_brief(r)]
    named = naming(defined, Renamer(defined).names, seed=2)
    write(folder / "beginnings.jsonl", beginnings(defined, named))
    write(folder / "whole.jsonl", whole(modules, defined))
    write(folder / "names.jsonl", named)
    measured = read(corpus, "validation", ("function", "class"))
    write(folder / "validation.jsonl", measured[:500])


if __name__ == "__main__":
    write_mix(sys.argv[1], Path(sys.argv[2]))
