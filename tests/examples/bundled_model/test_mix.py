import random

import pytest

from examples.bundled_model import mix
from examples.bundled_model.rows import read_rows, write_rows

TEXT = "A text of some length. " * 20
LONG = "DESCRIPTION\n" + TEXT * 40


def row(name, document=TEXT, source="rope"):
    summary = f"{name} of some length"
    return {"name": name, "summary": summary, "document": document, "source": source}


def names(rows):
    return sorted(row["name"] for row in rows)


def learnt(packages=5, pages=5, docstrings=1):
    sizes = {"package": packages, "page": pages, "docstring": docstrings}
    return {kind: [row(f"{kind}{n}") for n in range(k)] for kind, k in sizes.items()}


def test_files_are_written_of_every_run_and_of_validation(tmp_path, monkeypatch):
    monkeypatch.setattr(mix, "MEASURED", {"package": 2, "page": 1})
    for kind, rows in learnt().items():
        write_rows(tmp_path / f"train.{kind}.jsonl", rows)
        write_rows(tmp_path / f"validation.{kind}.jsonl", rows[:3])
    mix.write_mix(tmp_path, tmp_path / "mix")
    files = {file.stem: len(read_rows(file)) for file in (tmp_path / "mix").iterdir()}
    assert files == {
        "copying": 15,
        "writing": 41,
        "further": 41,
        "later": 10,
        "longest": 10,
        "validation": 3,
    }


def test_the_first_run_copies_words_of_the_text():
    found = mix.copying(learnt())
    assert names(found).count("package0") == mix.COPYING_PASSES["package"]
    assert names(found).count("page0") == mix.COPYING_PASSES["page"]
    assert {row["summary"] for row in found} == {"some length"}


def test_the_first_run_leaves_out_what_cannot_be_copied():
    texts = {**learnt(), "page": [row("page", "Nothing that is said of it. " * 9)]}
    assert "page" not in names(mix.copying(texts))


def test_the_second_run_reads_each_text_as_often_as_its_kind_is_to_be_read():
    found = names(mix.writing(learnt(packages=7, pages=3, docstrings=5)))
    read = {**mix.WRITING_PASSES, "page": mix.WRITING_PAGE_PASSES}
    for kind, passes in read.items():
        assert {found.count(name) for name in found if name.startswith(kind)} == {
            passes
        }


def test_the_third_run_reads_the_same_texts_in_another_order():
    texts = learnt(packages=7, pages=3, docstrings=5)
    found, before = mix.further(texts), mix.writing(texts)
    assert names(found) == names(before) and found != before


def test_the_second_run_reads_pages_from_both_starts():
    page = row("page", "SYNOPSIS\na\n\nDESCRIPTION\n" + TEXT * 9)
    found = mix.writing({"page": [page], "package": [], "docstring": []})
    assert {one["document"].split()[0] for one in found} == {"A", "SYNOPSIS"}


def test_the_second_run_puts_some_texts_in_the_place_of_a_description(monkeypatch):
    monkeypatch.setattr(mix, "WRAPPED_SHARE", 0)
    page = row("page", "SYNOPSIS\na\n\nDESCRIPTION\n" + TEXT)
    packages = [row(f"package{n}") for n in range(53)]
    found = mix.writing({"page": [page], "package": packages, "docstring": []})
    framed = [
        one["document"].startswith("SYNOPSIS\na\n\nDESCRIPTION\nA text")
        for one in found
        if one["name"] != "page"
    ]
    assert 0 < sum(framed) < len(framed) / 2


def test_the_fourth_run_reads_fewer_texts_to_a_later_end(monkeypatch):
    monkeypatch.setattr(mix, "LATER", {"page": 2, "package": 1})
    monkeypatch.setattr(mix, "WRAPPED_SHARE", 0)
    texts = {**learnt(), "page": [row(f"page{n}", LONG) for n in range(3)]}
    found = mix.later(texts)
    # One package in a page, and another as it is.
    assert [name[:-1] for name in names(found)] == ["package"] * 2 + ["page"] * 2
    longest = max(len(row["document"]) for row in found)
    assert mix.BEGINNING < longest <= mix.LATER_CHARS + 100


def test_the_fifth_run_reads_long_pages_and_short_texts_beside(monkeypatch):
    monkeypatch.setattr(mix, "LONGEST", {"page": 3, "package": 2})
    monkeypatch.setattr(mix, "WRAPPED_SHARE", 0)
    long = [row("page0", LONG * 5), row("page1", LONG * 59)]
    texts = {**learnt(), "page": [*long, *(row(f"page{n}") for n in range(5, 12))]}
    found = mix.longest(texts)
    assert [name[:-1] for name in names(found)].count("package") == 4
    pages = [name for name in names(found) if name.startswith("page")]
    assert pages[:2] == ["page0", "page1"] and len(pages) == 5
    in_pages = [one["name"] for one in found if one["document"].startswith("DESCR")]
    # The two long pages, and two of four descriptions, in such.
    assert len(in_pages) == 4 and {"page0", "page1"} < set(in_pages)
    assert max(len(one["document"]) for one in found) == mix.LONGEST_CHARS


def test_long_summaries_are_left_out_at_last():
    long = {**row("page7"), "summary": "word " * (mix.SHORT + 1)}
    texts = learnt()
    texts["page"].append(long)
    assert {"page0", "page4"} < set(names(mix.longest(texts)))
    assert "page7" not in names(mix.longest(texts))


def test_of_a_large_source_package_some_pages_are_drawn(monkeypatch):
    monkeypatch.setattr(mix, "FAMILY_MOST", 3)
    rows = [row(f"rope{n}") for n in range(13)] + [row("knot0", source="knot")]
    drawn = names(mix.few_of_family(rows, random.Random(5)))
    assert [name[:4] for name in drawn] == ["knot", *["rope"] * 3]
    assert drawn != names(mix.few_of_family(rows, random.Random(6)))


def test_few_of_what_is_drawn_are_of_many_source_packages():
    rows = [row(f"{n}", source=f"source{n // 11}") for n in range(77)]
    drawn = mix.few_of_family(rows, random.Random(5))[:11]
    assert len({one["source"] for one in drawn}) > 3


@pytest.mark.parametrize(
    ("ends", "left"),
    [
        ([" Ropes.", " Ropes.", ""], ["Ties 0.", "Ties 1.", "Ties 2."]),
        ([" Ropes.", "", ""], ["Ties 0. Ropes.", "Ties 1.", "Ties 2."]),
        ([" Ropes."], ["Ties 0. Ropes."]),
    ],
)
def test_an_end_that_most_summaries_of_a_package_share_is_taken_off(ends, left):
    rows = [{**row("a"), "summary": f"Ties {n}.{end}"} for n, end in enumerate(ends)]
    assert [one["summary"] for one in mix.family_end_off(rows)] == left


def test_the_first_run_reads_a_page_from_its_description():
    page = row("page", "SYNOPSIS\na\n\nDESCRIPTION\n" + TEXT * 9)
    document = mix.cut(page)["document"]
    assert document.startswith("A text") and len(document) == mix.BEGINNING


def test_a_page_without_a_description_frames_nothing():
    assert mix.framed(row("a"), row("page")) == row("a")


def test_lines_are_broken_without_losing_a_word():
    document = f"{TEXT}\n\nSecond paragraph."
    broken = mix.wrapped(row("a", document), random.Random(3))["document"]
    assert broken.split() == document.split()
    assert max(map(len, broken.split("\n"))) < max(mix.COLUMNS)
    assert "\n\n" in broken


@pytest.mark.parametrize("run", [mix.copying, mix.writing, mix.later, mix.longest])
def test_the_same_texts_give_the_same_rows(run):
    texts = {
        kind: [row(f"rope{n}", f"rope{n} of some length. " * 9) for n in range(13)]
        for kind in ("package", "page", "docstring")
    }
    assert run(texts) == run(texts)


def test_another_seed_gives_another_order():
    rows = [row(f"rope{n}") for n in range(13)]
    assert mix.varied(rows, seed=5) != mix.varied(rows, seed=6)
