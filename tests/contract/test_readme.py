"""The README's code runs, its commands exist, and no line of it is for show."""

import io
import re

import pytest

from examples.demo import write_demo
from tests.contract.pages import (
    PAGES,
    ROOT,
    blocks,
    commands,
    parse_command,
    read,
    run_python,
)
from tf_led.cli.main import main


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_demo("demo")
    assert run_python("README.md") >= 3
    assert len(capsys.readouterr().out.splitlines()) >= 3
    assert (tmp_path / "demo/trained/model.safetensors").is_file()


@pytest.mark.parametrize("command", commands("tf-led"))
def test_commands_of_the_pages_are_understood(command, monkeypatch):
    parse_command(command, monkeypatch)


def test_targets_that_the_pages_name_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    typed = "".join(block for page in PAGES for block in blocks(page, "bash"))
    named = set(re.findall(r"`make ([a-z-]+)", "".join(map(read, PAGES))))
    named |= set(re.findall(r"^make ([a-z-]+)", typed, re.M))
    assert {"demo", "test", "test-large"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


def test_the_commands_to_begin_with_come_first(monkeypatch, capsys):
    first, second = blocks("README.md", "[a-z]+")[:2]
    assert first.startswith("pip install .  #")
    make = [line.split("  #")[0] for line in second.splitlines()]
    assert make == ["make demo", "make test"]
    # The first summary is what the README says that it is.
    text = re.search(r'echo "(.*?)" \|', first, re.S)[1]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["summarize", "-"]) == 0
    assert capsys.readouterr().out.strip() in " ".join(read("README.md").split())


def test_pages_that_are_linked_are_there():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", read(page)):
            place = (ROOT / page).parent / target
            assert place.exists(), f"{page} links to {target}"


def test_speeds_are_those_of_the_run_that_is_kept():
    speed = read("README.md").split("## Speed")[1].split("\n## ")[0]
    kept = read("benchmarks/results/results.md")
    cells = re.findall(r"[\d.]+ s \([\d.]+ GB\)", speed)
    assert len(cells) > 15
    assert [cell for cell in cells if cell not in kept] == []
    machine, cores = kept.split(",")[:2]
    assert machine in speed and cores.strip() in speed
