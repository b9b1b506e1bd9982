"""Scores baselines and model on what was held out, and writes the model card.

`python -m ...report CORPUS PREDICTIONS MODEL`: PREDICTIONS holds what
`tf-led evaluate --predictions` wrote of each kind, `KIND.jsonl`.
"""

import json
import sys
from pathlib import Path

from examples.bundled_model.baselines import baselines
from examples.bundled_model.card import card
from examples.bundled_model.corpus import KINDS
from examples.bundled_model.mix import read
from tf_led.cli.evaluate import score_texts, with_interval

MODEL = "bundled model"
FEWEST_POINTS = 3
# What the model has to beat: lines of the source, or words of the name, as they are.
# The other baselines add phrases or take sentences of others; they are shown beside it.
TO_BEAT = (
    "first line of the source",
    "line that defines it",
    "words of the name",
    "words of the qualified name",
)


def measure(corpus, predictions):
    """Scores model and baselines on the same held-out documents by the same code.

    Args:
        corpus: path of the folder that `corpus` wrote.
        predictions: path of the folder with what the model wrote.

    Returns:
        Dict from kind, and from "all", to dict of `examples`, `packages` and `rougeL`:
        that is a dict from the summarizer's name to `mean`, `low` and `high`.

    Raises:
        ValueError: if the predictions are not of these documents.
    """
    summarizers = baselines(read(corpus, "train", ("function", "class")))
    every_row, every_text, found = [], {}, {}
    for kind in KINDS:
        rows = read(corpus, "test", (kind,))
        written = Path(predictions) / f"{kind}.jsonl"
        texts = {MODEL: read_predictions(written, rows, corpus)}
        for name, summarize in summarizers.items():
            texts[name] = [summarize(row) for row in rows]
        found[kind] = score(rows, texts)
        every_row += rows
        every_text = {name: every_text.get(name, []) + texts[name] for name in texts}
    return {**found, "all": score(every_row, every_text)}


def read_predictions(path, rows, corpus):
    """What the model wrote about the documents `rows` of the corpus, as strings."""
    with open(path, encoding="utf-8") as file:
        written = [json.loads(line) for line in file]
    if [row["summary"] for row in rows] != [one["summary"] for one in written]:
        raise ValueError(f"{path}: not of the documents in {corpus}")
    return [one["prediction"] for one in written]


def score(rows, texts):
    """How good the texts about `rows` are, a dict as one part of `measure`'s."""
    return {
        "examples": len(rows),
        "packages": len({row["package"] for row in rows}),
        "rougeL": {name: rouge_l(one, rows) for name, one in texts.items()},
    }


def rouge_l(texts, rows):
    references = [row["summary"] for row in rows]
    return with_interval(score_texts(texts, references)["rougeL"], seed=0)


def is_clear(scores, points=FEWEST_POINTS):
    """Whether the model beats the best of `TO_BEAT` by enough, intervals apart.

    Args:
        scores: dict from name to `mean`, `low` and `high`; of `TO_BEAT` at least one.
        points: float.

    Returns:
        bool.

    Example:
        >>> from examples.bundled_model.report import MODEL, is_clear
        >>> model = {"mean": 30.0, "low": 29.0, "high": 31.0}
        >>> best = {"mean": 26.0, "low": 25.0, "high": 27.0}
        >>> is_clear({MODEL: model, "words of the name": best})
        True
    """
    model = scores[MODEL]
    others = [one for name, one in scores.items() if name in TO_BEAT]
    best = max(one["mean"] for one in others)
    is_apart = model["low"] > max(one["high"] for one in others)
    return model["mean"] - best >= points and is_apart


def write_report(corpus, predictions, folder):
    """Writes `report.json` and `README.md` beside the model.

    Args:
        corpus: path of the folder that `corpus` wrote.
        predictions: path of the folder with what the model wrote.
        folder: path of the model.

    Returns:
        Dict as of `measure`.
    """
    found, folder = measure(corpus, predictions), Path(folder)
    text = json.dumps(found, indent=1) + "\n"
    (folder / "report.json").write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(card(found), encoding="utf-8")
    return found


if __name__ == "__main__":
    result = write_report(*sys.argv[1:])
    print(json.dumps(result, indent=1))
    if not is_clear(result["function"]["rougeL"]):
        sys.exit(f"The model is not {FEWEST_POINTS} points above the baselines.")
