from examples.bundled_model.naming import CHARS, MARK, naming

ROW = {"document": "class Tree:\n    def cutTree(tree): pass", "name": "Tree.cutTree"}
NAMES = ["rope", "knot", "sail"]


def test_the_summary_is_the_name_that_stands_in_the_source():
    for one in naming([ROW] * 20, NAMES, seed=0):
        assert one["document"].startswith(MARK + "class ")
        assert f"def {one['name']}(" in one["document"]
        first, second = one["summary"].split()
        assert one["name"].lower() == first + second
        assert first in {"cut", *NAMES} and second in {"tree", *NAMES}


def test_names_differ_and_repeat_from_the_seed():
    found = [[one["name"] for one in naming([ROW] * 20, NAMES, n)] for n in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert len(set(found[0])) > 5


def test_the_source_is_cut_and_must_still_have_the_name():
    row = {"document": " " * CHARS + "def tree(): pass", "name": "tree"}
    assert naming([row], NAMES, seed=0) == []
    (one,) = naming([{**row, "document": "def tree(): " + "x" * CHARS}], NAMES, seed=0)
    assert len(one["document"]) <= len(MARK) + CHARS + 2


def test_names_of_no_or_many_words_are_left_out():
    rows = [{"document": name, "name": name} for name in ("_", "a_b_c_d_e_f")]
    assert naming(rows, NAMES, seed=0) == []
