import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from examples.bundled_model import report
from examples.bundled_model.rows import write_rows
from examples.bundled_model.texts import KINDS

SAID = {"open": "Opens a file.", "shut": "Shuts the door."}


def row(name):
    document = f"{name} | does <things>. " * 40
    return {"source": name, "name": name, "document": document, "summary": SAID[name]}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "NUM_SHOWN", {"package": 2, "page": 1})
    corpus, baselines, predictions, model = (
        tmp_path / name for name in ("corpus", "baselines", "predictions", "model")
    )
    model.mkdir()
    weights = {"a": np.zeros((700, 1000), "float16"), "b": np.zeros(3000, "float16")}
    save_file(weights, model / "model.safetensors")
    for kind in KINDS:
        write_rows(corpus / f"test.{kind}.jsonl", [row(name) for name in SAID])
        write_rows(
            baselines / f"{kind}.jsonl", [{"name": "open file"}, {"name": "shut"}]
        )
        written = [{"summary": text, "prediction": text} for text in SAID.values()]
        write_rows(predictions / f"{kind}.jsonl", written)
    return corpus, baselines, predictions, model


def test_model_and_baselines_are_scored_alike(folders):
    found = report.write_report(*folders)
    assert [*found] == [*KINDS]
    part = found["page"]
    assert (part["examples"], part["sources"]) == (2, 2)
    everything = {"mean": 100.0, "low": 100.0, "high": 100.0}
    assert part["scores"][report.MODEL]["rougeL"] == everything
    # "open file" of "opens a file" 4/5, "shut" of "shuts the door" 1/2.
    assert part["scores"]["name"]["rougeL"]["mean"] == pytest.approx(65)
    assert {*part["scores"]["name"]} == {"rouge1", "rouge2", "rougeL"}


def test_the_card_says_what_the_report_does(folders):
    found = report.write_report(*folders)
    model = folders[3]
    assert json.loads((model / "report.json").read_text("utf-8")) == found
    text = (model / "README.md").read_text(encoding="utf-8")
    assert text.count("| bundled model | 100.0 | 100.0 to 100.0 |") == 2
    assert text.index("| bundled model |") < text.index("| name |")
    assert "of 0.7 million parameters" in text
    assert "### Package descriptions: 2 texts of 2 " in text
    assert text.count("- bundled model: ") == 3
    assert (
        r"open \| does \<things>. open" in text
        or r"shut \| does \<things>. shut" in text
    )


def test_shown_texts_are_drawn_by_a_seed_and_cut(folders):
    rows, written = [row(name) for name in SAID], ["a", "b"]
    shown = report.shown(rows, written, 2)
    assert shown == report.shown(rows, written, 2)
    assert {one["prediction"] for one in shown} == {"a", "b"}
    assert all(one["document"].endswith(" ...") for one in shown)
    assert max(len(one["document"]) for one in shown) <= report.SHOWN_CHARS + 4


def test_predictions_of_other_texts_are_rejected(folders):
    written = [{"summary": "Another text.", "prediction": "a"}] * 2
    write_rows(folders[2] / "page.jsonl", written)
    with pytest.raises(ValueError, match="page.jsonl"):
        report.write_report(*folders)


@pytest.mark.parametrize(
    "low, mean, clear", [(28.1, 31.0, True), (27.9, 31.0, False), (28.1, 30.9, False)]
)
def test_clear_is_five_points_and_intervals_apart(low, mean, clear):
    scores = {
        report.MODEL: {"rougeL": {"mean": mean, "low": low, "high": 40.0}},
        "best": {"rougeL": {"mean": 26.0, "low": 25.0, "high": 28.0}},
        "other": {"rougeL": {"mean": 10.0, "low": 1.0, "high": 50.0}},
    }
    assert report.is_clear(scores) is clear
