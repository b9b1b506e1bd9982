import argparse

import pytest

from tf_led.cli.documents import Document
from tf_led.cli.global_tokens import GlobalTokens, join_words, parse_rule
from tf_led.cli.parser import UsageError
from tf_led.data.global_attention_rules import OccurrencesOf


class Encoding(dict):
    """What a tokenizer gives, with offsets drawn by hand: None = special token."""

    def __init__(self, *spans):
        super().__init__(
            input_ids=list(range(len(spans))),
            offset_mapping=[span or (0, 0) for span in spans],
        )
        self.spans = spans

    def sequence_ids(self, batch_index):
        assert batch_index == 0
        return [None if span is None else 0 for span in self.spans]


# "ab cd ab": <s>, ab, cd, a, b, </s>
DOCUMENT = Document("notes.txt", "ab cd ab")
ENCODING = Encoding(None, (0, 2), (3, 5), (6, 7), (7, 8), None)


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        (None, [1, 0, 0, 0, 0, 0]),
        ("ab", [0, 1, 0, 1, 1, 0]),
    ],
)
def test_mask(text, mask):
    assert GlobalTokens(text).mask(DOCUMENT, ENCODING) == mask


def test_text_that_only_the_part_left_out_has_raises():
    cut = Encoding(None, (0, 2), None)
    with pytest.raises(UsageError, match="notes.txt.*'cd'.*none of the 3 tokens"):
        GlobalTokens("cd").mask(DOCUMENT, cut)


def test_rules_of_parts():
    assert GlobalTokens(None).rule() == "first"
    assert GlobalTokens("ab").rule() == OccurrencesOf("ab")


def test_text_that_does_not_occur_raises():
    GlobalTokens("cd").check(DOCUMENT)
    GlobalTokens(None).check(DOCUMENT)
    with pytest.raises(UsageError, match="notes.txt: .*'ef': does not occur"):
        GlobalTokens("ef").check(DOCUMENT)


@pytest.mark.parametrize(
    ("words", "text"),
    [("first", None), ("all-of  x ", " x "), ("all-of first", "first")],
)
def test_parse_rule(words, text):
    assert parse_rule(words) == GlobalTokens(text)


@pytest.mark.parametrize("words", ["all-of", "all-of "])
def test_all_of_needs_a_text(words):
    with pytest.raises(argparse.ArgumentTypeError, match="not empty"):
        parse_rule(words)


@pytest.mark.parametrize("words", ["last", "", "first ", "All-of x"])
def test_other_rules_raise(words):
    with pytest.raises(argparse.ArgumentTypeError, match=f"got '{words}'"):
        parse_rule(words)


@pytest.mark.parametrize(
    ("argv", "joined"),
    [
        (["--global-tokens", "first", "f"], ["--global-tokens", "first", "f"]),
        (
            ["--global-tokens", "all-of", "a b", "f"],
            ["--global-tokens=all-of a b", "f"],
        ),
        (["--global-tokens=all-of", "-x", "f"], ["--global-tokens=all-of -x", "f"]),
        (["--global-tokens=all-of x", "f"], ["--global-tokens=all-of x", "f"]),
        (["f", "--global-tokens", "all-of"], ["f", "--global-tokens=all-of"]),
        (["--global-tokens"], ["--global-tokens"]),
        (["all-of", "f"], ["all-of", "f"]),
        (["--", "--global-tokens", "all-of", "f"],) * 2,
        ([], []),
    ],
)
def test_join_words(argv, joined):
    before = list(argv)
    assert join_words(argv) == joined
    assert argv == before
