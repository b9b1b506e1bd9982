import json

import pytest

from tests.tokenization.conftest import FILES
from tf_led.tokenization.vocabulary import read_vocabulary

VOCAB, MERGES = {"<s>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]


def test_files_and_values_read_the_same():
    vocab, merges = read_vocabulary(*FILES)
    assert vocab == json.loads(FILES[0].read_text(encoding="utf-8"))
    assert (len(merges), merges[0]) == (301, ("Ġ", "Ġ"))
    assert read_vocabulary(vocab, merges) == (vocab, merges)


def test_merges_may_be_lines():
    assert read_vocabulary(VOCAB, ["a b"]) == (VOCAB, MERGES)


@pytest.mark.parametrize(
    ("vocab", "merges", "message"),
    [
        (None, MERGES, "`vocab_file` is missing in 'here'"),
        (VOCAB, None, "`merges_file` is missing in 'here'"),
        (VOCAB, FILES[1], "both as paths or both as values"),
        (VOCAB, [("a", "b", "c")], r"`merges` must hold pairs.* got \('a', 'b', 'c'\)"),
        (FILES[1], FILES[1], "merges.txt.* are not the vocabulary and the merges"),
        (FILES[0], FILES[0], "vocab.json.* are not the vocabulary and the merges"),
    ],
)
def test_what_is_no_vocabulary_is_refused(vocab, merges, message):
    with pytest.raises(ValueError, match=message):
        read_vocabulary(vocab, merges, "here")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`merges_file`.*nowhere.txt"):
        read_vocabulary(FILES[0], tmp_path / "nowhere.txt")
