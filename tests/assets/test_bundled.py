"""What the model that comes with the package promises."""

import json

import pytest

from examples.bundled_model.report import MODEL
from examples.bundled_model.texts import KINDS
from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
from tf_led.cli.checkpoint import BUNDLED
from tf_led.cli.main import main

TEXT = """\
Gardener is a command-line tool for planning vegetable gardens. It reads a list of
plants and the size of the beds, and writes a calendar of what to sow and when.

This package contains the documentation of gardener.
"""


@pytest.fixture(scope="module")
def model():
    return TFLEDForConditionalGeneration.from_pretrained(BUNDLED)


@pytest.fixture(scope="module")
def report():
    return json.loads((BUNDLED / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def card():
    return (BUNDLED / "README.md").read_text(encoding="utf-8")


def test_it_has_at_most_16_megabytes():
    assert 0 < sum(file.stat().st_size for file in BUNDLED.iterdir()) <= 16e6


def test_it_reads_16384_tokens(model):
    tokenizer = LEDTokenizerFast.from_pretrained(BUNDLED)
    limit = model.config.max_encoder_position_embeddings
    assert limit == tokenizer.model_max_length == 16_384
    assert model.config.vocab_size == len(tokenizer)


@pytest.mark.parametrize("kind", KINDS)
def test_its_card_has_the_figures_of_its_report(report, card, kind):
    assert report[kind]["examples"] > 500
    assert "**Not for**" in card
    for name, scores in report[kind]["scores"].items():
        assert f"| {name} | {scores['rougeL']['mean']:.1f} |" in card
    assert MODEL in report[kind]["scores"]


def test_its_card_shows_twenty_held_out_examples(report, card):
    assert sum(len(part["shown"]) for part in report.values()) == 20
    assert card.count("\n- bundled model: ") == 20


@pytest.mark.slow
def test_the_command_summarises_with_it_where_no_model_is_named(tmp_path, capsys):
    (tmp_path / "gardener.txt").write_text(TEXT, encoding="utf-8")
    assert main(["summarize", str(tmp_path / "gardener.txt")]) == 0
    printed = capsys.readouterr()
    assert "using the bundled model: good for " in printed.err
    # What it has to be able to do: find the words that the text is about.
    assert "garden" in printed.out.lower()
