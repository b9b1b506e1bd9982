from examples.bundled_model import corpus
from examples.bundled_model.rows import read_rows
from examples.bundled_model.splitting import part_of

WORDS = "It has more than the eight words that it needs, about"
SOURCES = {"test": "git", "validation": "cmake", "train": "keras"}


def row(source, about, summary=None):
    document = f"{WORDS} {about}."
    summary = summary or f"text about {about}"
    return {"document": document, "summary": summary, "name": about, "source": source}


def names(rows):
    return [row["name"] for row in rows]


def test_the_sources_of_these_tests_are_in_their_parts():
    assert {part: part_of(source) for part, source in SOURCES.items()} == {
        part: part for part in SOURCES
    }


def test_copies_short_texts_and_frequent_summaries_are_dropped():
    rows = [row("a", "ropes"), row("b", "ropes"), row("a", "knots")]
    rows += [
        row("a", f"sail {n}", "the same" if n % 2 else "The SAME") for n in range(7)
    ]
    rows += [{**row("a", "short"), "document": "Too short a text."}]
    rows += [row("a", "brief", "one"), row("a", "long", "word " * 31)]
    kept = names(corpus.without_repetition(rows, least_words=8))
    assert kept[:2] == ["ropes", "knots"]
    assert kept[2:] == [f"sail {n}" for n in range(corpus.MOST_ALIKE)]


def test_of_a_family_few_are_measured():
    rows = [row(f"gcc-{n}", f"rope {n}") for n in range(7)] + [row("tk", "knot")]
    drawn = corpus.drawn(rows, most=5, most_of_family=3)
    assert len(drawn) == 4 and "knot" in names(drawn)
    assert len(corpus.drawn(rows, most=2, most_of_family=3)) == 2
    assert corpus.drawn(rows, most=5, most_of_family=3) == drawn


def test_parts_and_what_they_share(monkeypatch):
    about = {part: [row(source, f"the {part}")] for part, source in SOURCES.items()}
    shared = [row("keras", "the test"), row("cmake", "the test")]
    texts = {"package": sum(about.values(), []), "page": shared}
    monkeypatch.setattr(corpus, "LEAST_WORDS", {"package": 8, "page": 8})
    found = corpus.split(texts)
    assert {part: names(found[part, "package"]) for part in SOURCES} == {
        part: [f"the {part}"] for part in SOURCES
    }
    # What shares its sentence with a measured text of the other kind is left out too.
    assert found["train", "page"] == found["validation", "page"] == []


def test_what_is_learnt_only_shares_nothing_with_what_is_measured():
    found = {("train", "page"): [row("keras", "knots")]}
    found["test", "page"] = [row("git", "ropes")]
    rows = [row("python:a", "ropes"), row("python:a", "knots")]
    assert names(corpus.learnt_only(rows, found)) == ["knots"]


def test_written_rows_are_read_again(tmp_path):
    rows = [row("a", "caf\u00e9"), row("b", "ropes")]
    sizes = corpus.write_corpus({("test", "page"): rows}, tmp_path / "new")
    assert sizes == {"test.page.jsonl": 2}
    found = read_rows(tmp_path / "new" / "test.page.jsonl")
    assert sorted(names(found)) == sorted(names(rows))
