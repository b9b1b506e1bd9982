import pytest

from tf_led.tokenization.rows import Ids, as_rows, mark_ids


def test_texts_become_rows():
    assert as_rows("a", None, False) == ([("a", None)], False)
    assert as_rows("a", "b", False) == ([("a", "b")], False)
    assert as_rows(["a", "b"], None, False) == ([("a", None), ("b", None)], True)
    assert as_rows(["a"], ["b"], False) == ([("a", "b")], True)
    assert as_rows([("a", "b"), "c"], None, False) == ([("a", "b"), ("c", None)], True)


def test_words_become_rows():
    assert as_rows(["a", "b"], None, True) == ([(["a", "b"], None)], False)
    assert as_rows([["a"], ["b"]], None, True) == ([(["a"], None), (["b"], None)], True)
    assert as_rows([(["a"], ["b"])], None, True) == ([(["a"], ["b"])], True)


def test_ids_stand_for_texts():
    assert as_rows(Ids([3, 5]), "a", False) == ([([3, 5], "a")], False)
    assert isinstance(mark_ids([3, 5]), Ids) and mark_ids("a") == "a"
    first, second = mark_ids(([3], "a"))
    assert isinstance(first, Ids) and second == "a"


@pytest.mark.parametrize(
    ("text", "split", "message"),
    [
        (5, False, "`text` must be a str, or a list of them, got 5"),
        (["a", None], False, r"`text\[1\]` must be a str.* got None"),
        (
            [["a", "b", "c"]],
            False,
            r"`text\[0\]` must be a str.* got \['a', 'b', 'c'\]",
        ),
        ([3, 5], False, r"`text\[0\]` must be a str.* got 3"),
        ("a b", True, r"`text` must be a list of words \(str\).* got 'a b'"),
        ([["a"], "b"], True, r"`text\[1\]` must be a list of words.* got 'b'"),
        ([], False, "`text` is an empty list"),
    ],
)
def test_what_is_no_text_is_refused(tokenizer, text, split, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(text, is_split_into_words=split, add_prefix_space=split)


def test_pairs_that_do_not_match_are_refused(tokenizer):
    with pytest.raises(ValueError, match="`text` has 2 texts and `text_pair` 1"):
        tokenizer(["a", "b"], ["c"])
    with pytest.raises(TypeError, match="`text_pair` must be a list .* not str"):
        tokenizer(["a", "b"], "cd")
    with pytest.raises(ValueError, match=r"`text` must be a str.* got \['b'\]"):
        tokenizer("a", ["b"])
