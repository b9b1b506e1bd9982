import pytest

from tests.tokenization.conftest import FILES
from tf_led.tokenization.vocabulary import check_vocabulary

VOCAB, MERGES = {"<s>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]


def test_paths_and_values_pass():
    assert check_vocabulary(*FILES) == tuple(str(path) for path in FILES)
    assert check_vocabulary(VOCAB, MERGES) == (VOCAB, MERGES)


def test_merges_may_be_lines():
    assert check_vocabulary(VOCAB, ["a b"]) == (VOCAB, MERGES)


@pytest.mark.parametrize(
    ("vocab", "merges", "message"),
    [
        (None, MERGES, "`vocab_file` is missing in 'here'"),
        (VOCAB, None, "`merges_file` is missing in 'here'"),
        (VOCAB, FILES[1], "both as paths or both as values"),
        (FILES[0], MERGES, "both as paths or both as values"),
        (VOCAB, [("a", "b", "c")], r"`merges` must hold pairs.* got \('a', 'b', 'c'\)"),
    ],
)
def test_what_is_no_vocabulary_is_refused(vocab, merges, message):
    with pytest.raises(ValueError, match=message):
        check_vocabulary(vocab, merges, "here")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`merges_file`.*nowhere.txt"):
        check_vocabulary(FILES[0], tmp_path / "nowhere.txt")
