"""The commands of the pages run as they stand, on small stand-ins for what they name.

That their options are understood is read in every run of the tests, in test_readme.py.
What trains and generates in earnest takes minutes: `make test-large`.
"""

import json
import re
import shlex
import shutil

import pytest

from examples.demo import write_demo
from tests.contract.pages import PAGES, ROOT, blocks, commands, read
from tf_led.cli.main import main

TEXT = "def read(path):\n    return open(path).read()  # Who waits? The server.\n"
# Under every key that a command names.
RECORD = {
    **{"document": TEXT, "summary": "Reads a file.", "question": "Who waits?"},
    **{"answer": "The server.", "source": "It stands.", "target": "Es steht."},
}
LEDS = ("allenai/led-base-16384", "allenai/led-large-16384-arxiv", "demo/checkpoint")
MORE_LEDS = ("my/checkpoint", "old/checkpoint")
DATA = ("train", "validation", "test", "en-de", "demo/train", "demo/validation")
TEXTS = ("report.txt", "letter.txt", "with_question.txt")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A LED with as many positions as the published ones, and a BART. Only read."""
    from transformers import BartConfig, BartForConditionalGeneration

    from tf_led import LEDConfig, TFLEDForConditionalGeneration

    folder = tmp_path_factory.mktemp("small")
    write_demo(folder)
    led, bart = folder / "checkpoint", folder / "bart"
    config = LEDConfig.from_pretrained(led, max_decoder_position_embeddings=1024)
    TFLEDForConditionalGeneration(config).save_pretrained(led)
    shutil.copytree(led, bart)
    sizes = {"vocab_size": config.vocab_size, "d_model": 8}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": 1, f"{side}_attention_heads": 2}
        sizes |= {f"{side}_ffn_dim": 8}
    BartForConditionalGeneration(BartConfig(**sizes)).save_pretrained(bart)
    return folder


@pytest.fixture
def desk(small, tmp_path, monkeypatch):
    """A folder in which everything that a command names is there."""
    monkeypatch.chdir(tmp_path)
    for name in LEDS + MORE_LEDS:
        shutil.copytree(small / "checkpoint", name)
    shutil.copytree(small / "bart", "facebook/bart-base")
    for name in DATA:
        path = tmp_path / f"{name}.jsonl"
        path.write_text(f"{json.dumps(RECORD)}\n" * 2, encoding="utf-8")
    for name in TEXTS:
        (tmp_path / name).write_text(TEXT, encoding="utf-8")


# The README's first summary, of standard input: tests/contract/test_readme.py has that.
@pytest.mark.large
@pytest.mark.filterwarnings("ignore:Neither .max_new_tokens. nor:UserWarning")
@pytest.mark.parametrize("page", [page for page in PAGES if commands("tf-led", [page])])
def test_commands_of_the_page_run(page, desk, capsys):
    for command in commands("tf-led", [page]):
        words = shlex.split(command, comments=True)[1:]
        if words != ["summarize", "-"]:
            assert main(words) == 0, f"{command}\n{capsys.readouterr().err}"


def test_no_block_is_in_a_language_that_nothing_reads():
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", read(page), re.M)
        assert set(fences[::2]) <= {"python", "bash", "sh", "json", "text"}, page
        for block in blocks(page, "json"):
            assert set(json.loads(block)) <= set(RECORD)


def test_what_other_commands_name_is_there():
    named = [command.split() for command in commands("python") + commands("docker")]
    files = [word for words in named for word in words if word.startswith("examples/")]
    assert len(files) >= 3
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_the_cluster_of_the_training_page_is_one():
    (block,) = blocks("docs/training.md", "sh")
    cluster = json.loads(re.search(r"TF_CONFIG='(.*?)'", block, re.S)[1])
    assert len(cluster["cluster"]["worker"]) == 2
    assert cluster["task"] == {"type": "worker", "index": 0}
