import json

import pytest

from examples.bundled_model import mix, renamed


def row(name, summary="Says a little.", document="short"):
    return {"name": name, "summary": summary, "document": document}


def defined(name):
    return row(name, document=f"def {name}(): pass")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(renamed, "FEWEST", 1)
    monkeypatch.setattr(mix, "WHOLE", {"module": 1, "long": 2, "short": 1})
    corpus = {
        "train.function": [defined(name) for name in "acd"] + [row("b", "word " * 16)],
        "train.class": [
            row(f"E{n}", document=f"class E{n}:" + "x" * 451) for n in range(3)
        ],
        "train.module": [row("m", "word " * 16), row("n"), row("o")],
        "validation.function": [row("v")],
        "validation.class": [row("w", "word " * 16)],
    }
    for name, rows in corpus.items():
        mix.write(tmp_path / f"{name}.jsonl", rows)
    mix.write_mix(tmp_path, tmp_path / "mix")
    return tmp_path / "mix"


def names(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted(json.loads(line)["name"] for line in lines)


def test_the_first_run_learns_the_names_of_all_that_is_brief(folder):
    found = set(names(folder / "names.jsonl"))
    assert len(names(folder / "names.jsonl")) == 6
    assert found <= {"a", "c", "d", "E0", "E1", "E2"}


def test_the_second_run_reads_rows_as_they_are_and_renamed(monkeypatch):
    class Marks:
        def __init__(self, rows, seed):
            self.count = 0

        def __call__(self, row):
            self.count += 1
            return row if row["name"] == "c" else {"name": f"{row['name']}{self.count}"}

    monkeypatch.setattr(mix, "Renamer", Marks)
    monkeypatch.setattr(mix, "NAMED", 1)
    rows, named = ([{"name": name} for name in group] for group in ("abc", "xyz"))
    found = [row["name"] for row in mix.beginnings(rows, named)]
    assert found == ["a", "b", "c", "x", "a1", "a2", "b3", "b4"]


def test_the_third_run_sees_some_of_each_length(folder):
    found = names(folder / "whole.jsonl")
    assert len(found) == 4
    assert len({"n", "o"} & {*found}) == 1 and len({"a", "c", "d"} & {*found}) == 1
    assert sum(name.startswith("E") for name in found) == 2


def test_validation_takes_summaries_of_any_length(folder):
    assert names(folder / "validation.jsonl") == ["v", "w"]


def test_the_order_repeats_and_is_not_that_of_the_rows(tmp_path):
    rows = [row(str(n)) for n in range(30)]
    for path in (tmp_path / "one", tmp_path / "two"):
        mix.write(path, list(rows))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    lines = (tmp_path / "one").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] != rows
