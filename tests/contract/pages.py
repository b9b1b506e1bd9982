"""The Markdown pages of the project, and the code in them."""

import importlib
import re
import shlex
from pathlib import Path
from unittest import mock

import keras

from tf_led.cli import main as main_module

ROOT = Path(__file__).parents[2]
# Pages that docs/conf.py fills with those of the root.
STAND_INS = {"docs/index.md", "docs/contributing.md", "docs/changelog.md"}
FOUND = (file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md"))
DOCS = sorted(set(FOUND) - STAND_INS)
PAGES = ["README.md", "CONTRIBUTING.md", *DOCS]


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.M | re.S)


def run_python(page):
    """Runs the Python blocks of a page one after another, with the same names.

    What a reader has already, and the page need not show, stands in comments that start
    with `<!-- setup` and runs in its place. Training steps run eagerly: a page takes
    few of them, and each graph of one takes seconds to trace.
    """
    pattern = r"^(?:```python|<!-- setup)\n(.*?)^(?:```|-->)$"
    code = re.findall(pattern, read(page), re.M | re.S)
    names = {}
    eagerly = property(lambda model: True, lambda model, value: None)
    with mock.patch.object(keras.Model, "run_eagerly", eagerly):
        for number, block in enumerate(code):
            exec(compile(block, f"{page}, Python block {number}", "exec"), names)
    return len(code)


def commands(program, pages=PAGES):
    """Every command line of that program in the pages, with what it is piped from."""
    texts = [block for page in pages for block in blocks(page, "bash")]
    lines = [line for text in texts for line in text.replace("\\\n", "").split("\n")]
    pieces = [piece.strip() for line in lines for piece in line.split("|")]
    return [piece for piece in pieces if piece.split(" ")[0] == program]


def parse_command(command, monkeypatch):
    """Has `tf-led` read a command line; returns what its sub-command would be given."""
    words = shlex.split(command, comments=True)[1:]
    seen = []
    module = importlib.import_module(main_module.COMMANDS[words[0]])
    monkeypatch.setattr(module, "run", seen.append)
    assert main_module.main(words) == 0, command
    (arguments,) = seen
    return arguments
