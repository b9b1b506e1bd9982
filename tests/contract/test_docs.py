"""The pages in docs/: their code runs, their tables name what is there."""

import re
import shutil

import pytest

import tf_led
from examples.demo import write_demo
from tests.contract.pages import DOCS, blocks, read, run_python


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """What `make demo` writes. Not to be written to."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder


# Guides put a new head on the demo's checkpoint, and say that this is reported.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* lacks .* of the model's weights:UserWarning")
@pytest.mark.filterwarnings("ignore:.* weights that the model does not:UserWarning")
@pytest.mark.parametrize("page", [page for page in DOCS if blocks(page, "python")])
def test_python_of_the_page_runs(page, demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(demo, "demo")
    run_python(page)


def test_every_page_is_linked_from_the_readme():
    for page in DOCS:
        assert f"]({page})" in read("README.md"), page


def table_rows(page):
    """Yields the cells of every row of every table."""
    for line in read(page).splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def names_on_leds_page():
    """The public names of transformers' LED, those that only version 4 has included."""
    from transformers import PreTrainedModel
    from transformers.models.led import modeling_led
    from transformers.utils import ModelOutput

    public = {
        name
        for name, thing in vars(modeling_led).items()
        if isinstance(thing, type)
        and issubclass(thing, (PreTrainedModel, ModelOutput))
        and thing.__module__ == modeling_led.__name__
    }
    gone = {
        "LEDForSequenceClassification",
        "TFLEDEncoderBaseModelOutput",
        "TFLEDForConditionalGeneration",
        "TFLEDModel",
        "TFLEDSeq2SeqLMOutput",
        "TFLEDSeq2SeqModelOutput",
    }
    return public | gone | {"LEDConfig", "LEDTokenizer", "LEDTokenizerFast"}


def test_every_name_of_transformers_led_has_its_row():
    first = {row[0].strip("`") for row in table_rows("docs/migration.md")}
    assert len(names_on_leds_page()) > 15
    assert names_on_leds_page() <= first


def test_names_that_the_migration_page_gives_are_there():
    text = " ".join(row[1] for row in table_rows("docs/migration.md") if len(row) > 1)
    methods = set(re.findall(r"`model\.(\w+)", text))
    assert len(methods) > 30
    kinds = [getattr(tf_led, name) for name in tf_led.__all__ if "TFLEDFor" in name]
    for method in methods - {"config", "led", "name_or_path", "generation_config"}:
        assert any(hasattr(kind, method) for kind in kinds), method
    for name in re.findall(r"`(TF\w+|LED\w+)", text):
        assert name in tf_led.__all__ or name in INSIDE, name


# Not in the package's public names, but where the page says that they are.
INSIDE = {"TFLEDMainLayer", "TFLEDEncoder", "TFLEDDecoder"}
