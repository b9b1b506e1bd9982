"""Scores baselines and model on what was held out, and writes the model card.

`python -m ...report CORPUS BASELINES PREDICTIONS MODEL`: BASELINES is the folder that
`baselines` wrote, PREDICTIONS holds what `tf-led evaluate --predictions` wrote of each
kind, `KIND.jsonl`.
"""

import json
import math
import random
import sys
from pathlib import Path

from examples.bundled_model.card import MODEL, card, lead, verdict
from examples.bundled_model.manual_pages import PACKAGES
from examples.bundled_model.rows import read_rows
from examples.bundled_model.texts import KINDS
from tf_led.cli.evaluate import score_texts, with_interval

SCORES = ("rouge1", "rouge2", "rougeL")
# What the model has to be above the best baseline, in ROUGE-L, with intervals apart.
POINTS = 5
NUM_SHOWN = {"package": 12, "page": 8}
SHOWN_CHARS = 300  # of a document
NUM_FETCHED = len(PACKAGES)


def measure(corpus, baselines, predictions):
    """Scores model and baselines on the same held-out texts by the same code.

    Args:
        corpus: path of the folder that `corpus` wrote.
        baselines: path of the folder with what the baselines say.
        predictions: path of the folder with what the model wrote.

    Returns:
        Dict from kind to dict of `examples`, `sources` and `scores`: that is a dict
        from the summarizer's name to a dict from a score's name to `mean`, `low` and
        `high`; and `shown`, a list of dict of `document`, `summary` and `prediction`.

    Raises:
        ValueError: if the predictions are not of these texts.
    """
    found = {}
    for kind in KINDS:
        rows = read_rows(Path(corpus) / f"test.{kind}.jsonl")
        said = read_rows(Path(baselines) / f"{kind}.jsonl")
        texts = {name: [one[name] for one in said] for name in said[0]}
        written = read_predictions(Path(predictions) / f"{kind}.jsonl", rows)
        found[kind] = {
            "examples": len(rows),
            "sources": len({row["source"] for row in rows}),
            "scores": {
                name: scored(one, rows)
                for name, one in {MODEL: written, **texts}.items()
            },
            "shown": shown(rows, written, NUM_SHOWN[kind]),
        }
    return found


def read_predictions(path, rows):
    """What the model wrote about the texts `rows`, as strings."""
    written = read_rows(path)
    if [row["summary"] for row in rows] != [one["summary"] for one in written]:
        raise ValueError(f"{path}: these are not predictions of the corpus' test texts")
    return [one["prediction"] for one in written]


def scored(texts, rows):
    """Every score of some texts with its interval."""
    values = score_texts(texts, [row["summary"] for row in rows])
    return {name: with_interval(values[name], seed=0) for name in SCORES}


def shown(rows, written, number, seed=0):
    """Draws examples for the card.

    Args:
        rows: list of n dict.
        written: list of n str.
        number: int.
        seed: int.

    Returns:
        List of dict of `name`, `document` (its beginning), `summary` and `prediction`.
    """
    places = random.Random(seed).sample(range(len(rows)), number)
    return [
        {
            "name": rows[place]["name"],
            "document": beginning(rows[place]["document"]),
            "summary": rows[place]["summary"],
            "prediction": written[place],
        }
        for place in places
    ]


def beginning(document):
    """The first characters of a document, on one line, cut between words."""
    text = " ".join(document[: 2 * SHOWN_CHARS].split())
    if len(text) <= SHOWN_CHARS:
        return text
    return text[:SHOWN_CHARS].rsplit(" ", 1)[0] + " ..."


def is_clear(scores):
    """Whether the model is far enough above the best baseline."""
    _, points, is_apart = lead(scores)
    return points >= POINTS and is_apart


def num_parameters(folder):
    """The number of a checkpoint's parameters, tied ones counted once."""
    from safetensors import safe_open

    with safe_open(Path(folder) / "model.safetensors", "np") as file:
        return sum(math.prod(file.get_slice(k).get_shape()) for k in file.keys())  # noqa: SIM118


def write_report(corpus, baselines, predictions, folder):
    """Writes `report.json` and `README.md` beside the model.

    Args:
        corpus: path of the folder that `corpus` wrote.
        baselines: path of the folder with what the baselines say.
        predictions: path of the folder with what the model wrote.
        folder: path of the model.

    Returns:
        Dict as of `measure`.
    """
    found, folder = measure(corpus, baselines, predictions), Path(folder)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (folder / "report.json").write_text(text, encoding="utf-8")
    text = card(found, NUM_FETCHED, num_parameters(folder))
    (folder / "README.md").write_text(text, encoding="utf-8")
    return found


if __name__ == "__main__":
    for kind, part in write_report(*sys.argv[1:]).items():
        reached = "reached" if is_clear(part["scores"]) else "not reached"
        print(f"{kind}: {verdict(part['scores'])} {POINTS} points above: {reached}.")
