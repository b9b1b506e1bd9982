"""What the model that comes with the package promises."""

import json

import pytest

from examples.bundled_model.report import MODEL
from tests.contract.pages import ROOT
from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
from tf_led.cli.checkpoint import BUNDLED
from tf_led.cli.main import main

SOURCE = """\
class Garden:
    def remove_tree(self, name):
        del self.trees[name]
"""


@pytest.fixture(scope="module")
def model():
    return TFLEDForConditionalGeneration.from_pretrained(BUNDLED)


def test_it_has_at_most_8_megabytes():
    assert 0 < sum(file.stat().st_size for file in BUNDLED.iterdir()) <= 8e6


def test_it_reads_4096_tokens(model):
    tokenizer = LEDTokenizerFast.from_pretrained(BUNDLED)
    limit = model.config.max_encoder_position_embeddings
    assert limit == tokenizer.model_max_length == 4096
    assert model.config.vocab_size == len(tokenizer)


def test_its_card_has_the_figures_of_its_report():
    report = json.loads((BUNDLED / "report.json").read_text(encoding="utf-8"))
    card = (BUNDLED / "README.md").read_text(encoding="utf-8")
    mean = report["function"]["rougeL"][MODEL]["mean"]
    assert f"| {MODEL} | {mean:.1f} |" in card and "**Not for**" in card


def test_the_command_summarises_with_it_where_no_model_is_named(tmp_path, capsys):
    (tmp_path / "garden.py").write_text(SOURCE, encoding="utf-8")
    assert main(["summarize", str(tmp_path / "garden.py")]) == 0
    printed = capsys.readouterr()
    assert "using the bundled model: good for " in printed.err
    # What it has to be able to do: find the words that the source is about.
    assert "tree" in printed.out.lower()


def test_it_is_what_the_readme_begins_with():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "tf-led summarize tf_led/cli/main.py" in text
