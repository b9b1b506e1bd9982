import random

import pytest

from examples.bundled_model import mix
from examples.bundled_model.rows import read_rows, write_rows

TEXT = "A text of some length. " * 20


def row(name, document=TEXT):
    return {"name": name, "summary": f"some {name}", "document": document}


def names(rows):
    return sorted(row["name"] for row in rows)


@pytest.fixture
def corpus(tmp_path):
    for kind in ("package", "page"):
        for part, number in (("train", 5), ("validation", 3)):
            rows = [row(f"{kind}{n}") for n in range(number)]
            write_rows(tmp_path / f"{part}.{kind}.jsonl", rows)
    write_rows(tmp_path / "train.docstring.jsonl", [row("docstring0")])
    return tmp_path


def test_the_first_run_goes_over_everything_several_times(corpus):
    mix.write_mix(corpus, corpus / "mix")
    found = names(read_rows(corpus / "mix/beginnings.jsonl"))
    assert found.count("package0") == mix.PASSES
    assert found.count("page0") == mix.PASSES * mix.PAGE_TIMES


def test_the_second_run_reads_pages_from_both_starts_and_docstrings(corpus):
    mix.write_mix(corpus, corpus / "mix")
    found = names(read_rows(corpus / "mix/more.jsonl"))
    assert found.count("package0") == found.count("docstring0") == mix.MORE_PASSES
    assert found.count("page0") == mix.MORE_PASSES * mix.MORE_PAGE_TIMES
    page = row("page", "SYNOPSIS\na\n\nDESCRIPTION\n" + TEXT * 9)
    starts = [one["document"].split()[0] for one in mix.more([page], [])]
    assert {*starts} == {"A", "SYNOPSIS"}


def test_validation_is_of_both_kinds(corpus, monkeypatch):
    monkeypatch.setattr(mix, "MEASURED", {"package": 2, "page": 1})
    mix.write_mix(corpus, corpus / "mix")
    found = read_rows(corpus / "mix/validation.jsonl")
    assert names(found) == ["package0", "package1", "page0"]


def test_the_third_run_reads_fewer_texts_to_a_later_end(monkeypatch):
    monkeypatch.setattr(mix, "LATER", {"page": 2, "package": 1})
    monkeypatch.setattr(mix, "WRAPPED_SHARE", 0)
    pages = [row(f"page{n}", "DESCRIPTION\n" + TEXT * 40) for n in range(3)]
    found = mix.later(pages, [row(f"package{n}") for n in range(3)])
    assert names(found) == ["package0", "page0", "page1"]
    longest = max(len(row["document"]) for row in found)
    assert mix.BEGINNING < longest <= mix.LATER_CHARS + 100


def test_the_first_run_reads_a_page_from_its_description():
    page = row("page", "SYNOPSIS\na\n\nDESCRIPTION\n" + TEXT * 9)
    document = mix.cut(page)["document"]
    assert document.startswith("A text") and len(document) == mix.BEGINNING


def test_lines_are_broken_without_losing_a_word():
    document = f"{TEXT}\n\nSecond paragraph."
    broken = mix.wrapped(row("a", document), random.Random(3))["document"]
    assert broken.split() == document.split()
    assert max(map(len, broken.split("\n"))) < max(mix.COLUMNS)
    assert "\n\n" in broken


def test_the_same_seed_gives_the_same_rows():
    rows = [row(f"rope{n}", f"rope{n} " * 9) for n in range(13)]
    assert mix.beginnings(rows, seed=5) == mix.beginnings(rows, seed=5)
    assert mix.beginnings(rows, seed=5) != mix.beginnings(rows, seed=6)
