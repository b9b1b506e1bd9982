import json

import pytest

from examples.bundled_model import corpus, packages


def function(name, sentence, value):
    return f'def {name}():\n    """{sentence}"""\n    return {value}\n\n\n'


FILES = {
    "keras/__init__.py": function("open_all", "Opens all of them.", 3)
    + function("close_all", "Closes all of them.", 5),
    "keras/_vendor/copied.py": function("vendored", "Stands in a copy.", 7),
    "keras/tests/tools.py": function("tool", "Serves the tests only.", 7),
    "keras/test_more.py": function("more", "Tests even more things.", 7),
    "keras/broken.py": "def f(:",
    "single.py": "".join(
        function(f"again_{n}", "Says the same again.", n) for n in range(7)
    ),
    "networkx/graph.py": function("copied", "Says something of its own.", 11)
    # The same source, though said otherwise; the same name and sentence; only the
    # same sentence, which is another's to say.
    + function("open_all", "Opens whatever there is.", 3)
    + function("close_all", "Closes all of them.", 13)
    + function("shut_all", "Closes all of them.", 17),
    "click/core.py": function("command", "Runs a single command.", 19),
}


@pytest.fixture
def written(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sizes = corpus.write_corpus(tmp_path / "out", [tmp_path / "site"])
    rows = {}
    for name, size in sizes.items():
        lines = (tmp_path / "out" / name).read_text(encoding="utf-8").splitlines()
        rows[name] = [json.loads(line) for line in lines]
        assert len(rows[name]) == size
    return rows


def names(rows):
    return sorted(row["name"] for row in rows)


def test_a_package_is_on_one_side_whole(written):
    learnt = written["train.function.jsonl"]
    assert {row["package"] for row in learnt} == {"keras", "single"}
    assert names(written["validation.function.jsonl"]) == ["command"]
    assert {r["package"] for r in written["test.function.jsonl"]} == {"networkx"}


def test_what_was_learnt_is_not_measured(written):
    assert names(written["test.function.jsonl"]) == ["copied", "shut_all"]


def test_copies_tests_and_broken_files_are_not_read(written):
    learnt = names(written["train.function.jsonl"])
    assert [name for name in learnt if not name.startswith("again")] == [
        "close_all",
        "open_all",
    ]


def test_a_frequent_sentence_is_taken_a_few_times(written):
    learnt = names(written["train.function.jsonl"])
    assert sum(name.startswith("again") for name in learnt) == corpus.MOST_ALIKE


def test_no_package_is_in_two_parts():
    assert not {*packages.TEST.split()} & {*packages.VALIDATION.split()}


def test_demo_and_measuring_use_what_was_never_learnt():
    from examples import demo as demo_examples

    modules = (*demo_examples.LEARNT, *demo_examples.MEASURED, demo_examples.DOCUMENT)
    for module in modules:
        assert packages.part_of(module.__name__) == "test"


def test_folders_hold_the_standard_library_and_packages():
    found = packages.folders()
    assert any((folder / "textwrap.py").exists() for folder in found)
    assert any((folder / "keras").is_dir() for folder in found)
