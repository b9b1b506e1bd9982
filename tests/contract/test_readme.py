"""The README's code runs, its commands exist, and no line of it is for show."""

import re
import shlex
from pathlib import Path

import pytest

from tf_led.cli import main as main_module
from tf_led.cli import summarize
from tf_led.cli.demo import write_demo

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md"]


def blocks(page, language):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(program):
    """Every command line of that program in the pages, with what it is piped from."""
    lines = [
        line
        for page in PAGES
        for block in blocks(page, "bash")
        for line in block.split("\n")
    ]
    pieces = [piece.strip() for line in lines for piece in line.split("|")]
    return [piece for piece in pieces if piece.split(" ")[0] == program]


def test_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_demo("demo")
    code = blocks("README.md", "python")
    assert len(code) >= 3
    names = {}
    for number, block in enumerate(code):
        exec(compile(block, f"README.md, Python block {number}", "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) >= 3
    assert (tmp_path / "demo/trained/model.safetensors").is_file()


@pytest.mark.parametrize("command", commands("tf-led"))
def test_commands_of_the_readme_are_understood(command, monkeypatch):
    seen = []
    monkeypatch.setattr(summarize, "run", seen.append)
    assert main_module.main(shlex.split(command)[1:]) == 0 and len(seen) == 1


def test_targets_that_the_pages_name_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
    assert {"demo", "test", "test-large"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


def test_the_two_commands_come_first():
    first = blocks("README.md", "[a-z]+")[0].splitlines()
    assert [line.split(" #")[0].strip() for line in first] == ["make demo", "make test"]


def test_pages_that_are_linked_are_there():
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{page} links to {target}"
