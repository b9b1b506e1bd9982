import pytest

from examples.bundled_model.renamed import Renamer, replaced, words

ROPES = {"document": "rope " * 8, "summary": "the the the a a a"}


@pytest.mark.parametrize(
    "text, found",
    [
        ("getHTTPFile_name2", ["get", "http", "file", "name"]),
        ("Opens the files.", ["opens", "the", "files"]),
    ],
)
def test_words(text, found):
    assert words(text) == found


@pytest.mark.parametrize(
    "text, renamed",
    [
        ("a file, File, FILE", "a tree, Tree, TREE"),
        ("two files, filed", "two trees, treed"),
        ("get_file getFileName", "get_tree getTreeName"),
        ("profile defile", "profile defile"),
    ],
)
def test_replaced_keeps_case_and_endings(text, renamed):
    assert replaced(text, {"file": "tree"}, endings=("", "s", "d")) == renamed


def test_what_source_and_summary_share_is_renamed_in_both():
    renamer = Renamer([ROPES])
    row = {"document": "def cut_tree(leaf): tree()", "summary": "Cuts trees."}
    renamer.kept = {"cut"}
    new = renamer({**row, "name": "kept as it is"})
    assert new["document"] == "def cut_rope(leaf): rope()"
    assert (new["summary"], new["name"]) == ("Cuts ropes.", "kept as it is")


def test_frequent_words_of_summaries_are_kept():
    renamer = Renamer([ROPES])
    row = {"document": "def the(): pass", "summary": "Does the thing."}
    assert renamer(row) == row


def test_names_are_words_seen_often_enough():
    rows = [{"document": "often " * 8 + "seldom " * 7 + "no " * 9, "summary": ""}]
    assert Renamer(rows).names == ["often"]


def test_the_same_seed_gives_the_same_names():
    rows = [{"document": "one two three four five " * 8, "summary": ""}]
    row = {"document": "def cut_tree(leaf, root): pass", "summary": "Trees leaf roots."}
    found = [Renamer(rows, seed)(row)["summary"] for seed in (1, 1, 2, 3, 4)]
    assert found[0] == found[1] and len(set(found)) > 1
