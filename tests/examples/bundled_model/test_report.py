import json

import pytest

from examples.bundled_model import report
from examples.bundled_model.corpus import KINDS
from examples.bundled_model.mix import write


def row(name, summary):
    document = f"def {name}():\n    return 7"
    signature = f"def {name}():"
    return {
        "package": name,
        "name": name,
        "signature": signature,
        "document": document,
        "summary": summary,
    }


@pytest.fixture
def folders(tmp_path):
    corpus, predictions = tmp_path / "corpus", tmp_path / "predictions"
    for folder in (corpus, predictions, tmp_path / "model"):
        folder.mkdir()
    for kind in KINDS:
        write(corpus / f"train.{kind}.jsonl", [row("far", "Something else again.")])
        rows = [row("open_file", "Opens a file."), row("shut", "Shuts the door.")]
        write(corpus / f"test.{kind}.jsonl", rows)
        lines = (corpus / f"test.{kind}.jsonl").read_text("utf-8").splitlines()
        said = [json.loads(line)["summary"] for line in lines]
        written = [{"summary": text, "prediction": text} for text in said]
        lines = [json.dumps(one) + "\n" for one in written]
        (predictions / f"{kind}.jsonl").write_text("".join(lines), encoding="utf-8")
    return corpus, predictions, tmp_path / "model"


def test_model_and_baselines_are_scored_alike(folders):
    found = report.write_report(*folders)
    assert [*found] == [*KINDS, "all"]
    scores = found["function"]["rougeL"]
    assert (found["function"]["examples"], found["function"]["packages"]) == (2, 2)
    assert scores[report.MODEL] == {"mean": 100.0, "low": 100.0, "high": 100.0}
    # "open file" of "opens a file" 4/5, "shut" of "shuts the door" 1/2.
    assert scores["words of the name"]["mean"] == pytest.approx(65)
    assert len(scores) == 9
    together = found["all"]
    assert (together["examples"], together["packages"]) == (2 * len(KINDS), 2)
    assert together["rougeL"]["words of the name"]["mean"] == pytest.approx(65)


def test_the_card_says_what_the_report_does(folders):
    found = report.write_report(*folders)
    model = folders[2]
    assert json.loads((model / "report.json").read_text("utf-8")) == found
    text = (model / "README.md").read_text(encoding="utf-8")
    assert "| bundled model | 100.0 | 100.0 to 100.0 |" in text
    assert text.index("| bundled model |") < text.index("| words of the name |")
    for title in (
        "### Functions: 2 ",
        "### Classes: 2 ",
        "### Modules: 2 ",
        "### All together: 6 ",
    ):
        assert title in text


def test_predictions_of_other_documents_are_refused(folders):
    corpus, predictions, model = folders
    write(corpus / "test.class.jsonl", [row("other", "Other things here.")])
    with pytest.raises(ValueError, match="class.jsonl: not of the documents in"):
        report.write_report(corpus, predictions, model)


@pytest.mark.parametrize(
    "low, mean, clear", [(28.1, 29.0, True), (27.9, 29.0, False), (28.1, 28.9, False)]
)
def test_clear_is_three_points_and_intervals_apart(low, mean, clear):
    scores = {
        report.MODEL: {"mean": mean, "low": low, "high": 40.0},
        "words of the name": {"mean": 26.0, "low": 25.0, "high": 28.0},
        "first line of the source": {"mean": 10.0, "low": 1.0, "high": 27.0},
        "only shown": {"mean": 28.0, "low": 27.0, "high": 41.0},
    }
    assert report.is_clear(scores) is clear
