import numpy as np
import pytest
import tensorflow as tf

from tf_led.data.global_attention_rules import (
    GRAPH_RULES,
    choose_rule,
    first_token,
    text_tokens,
)


class Tokenizer:
    sep_token_id = 2

    def get_vocab(self):
        return {"<s>": 0, "</s>": 2, "<doc-sep>": 9}


# A row as each rule meets it, and what it is to mark.
DRAWINGS = [
    ("first", [0, 5, 7, 11, 2], [1, 0, 0, 0, 0]),
    ("question", [0, 5, 7, 2, 2, 11, 13, 2], [1, 1, 1, 0, 0, 0, 0, 0]),
    ("question", [0, 5, 7], [1, 1, 1]),
    ("separators", [0, 5, 9, 7, 9, 9, 11, 2], [1, 0, 1, 0, 1, 1, 0, 0]),
]


@pytest.mark.parametrize(("name", "ids", "drawing"), DRAWINGS)
def test_a_rule_marks_what_the_drawing_shows(name, ids, drawing):
    rule = choose_rule(name, Tokenizer(), separator="<doc-sep>")
    for row in (ids, np.array(ids, "int32")):
        mask = rule(row)
        assert mask.dtype == bool and mask.astype(int).tolist() == drawing


def test_a_function_is_a_rule_of_its_own():
    assert choose_rule(first_token, None) is first_token


def test_an_unknown_rule_raises():
    with pytest.raises(ValueError, match="'first', 'question', .*got 'all'"):
        choose_rule("all", Tokenizer())


@pytest.mark.parametrize("separator", ["<sep>", None])
def test_a_separator_that_is_no_token_raises(separator):
    with pytest.raises(ValueError, match=f"`separator` is {separator!r}, which"):
        choose_rule("separators", Tokenizer(), separator)


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
ENCODING = Encoding(None, (0, 2), (3, 5), (6, 7), (7, 8), None)


@pytest.mark.parametrize(
    ("text", "drawing"),
    [
        ("ab", [0, 1, 0, 1, 1, 0]),
        ("b", [0, 1, 0, 0, 1, 0]),  # a part of a token makes the token global
        ("cd", [0, 0, 1, 0, 0, 0]),
        ("d a", [0, 0, 1, 1, 0, 0]),
        ("ab cd ab", [0, 1, 1, 1, 1, 0]),  # special tokens do not belong to the text
        ("ef", [0, 0, 0, 0, 0, 0]),
    ],
)
def test_tokens_of_a_text(text, drawing):
    mask = text_tokens(ENCODING, "ab cd ab", text)
    assert mask.dtype == bool and mask.astype(int).tolist() == drawing


def test_occurrences_of_a_text_may_overlap():
    encoding = Encoding((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    for document, text, mask in (
        ("aXaXb", "aXa", [1, 1, 1, 0, 0]),
        ("aaaab", "aaa", [1, 1, 1, 1, 0]),
    ):
        assert text_tokens(encoding, document, text).astype(int).tolist() == mask


def test_white_space_tokens_inside_an_occurrence_are_global():
    # "a   b": the tokenizer gives lone spaces an empty span, where they end.
    encoding = Encoding((0, 1), (2, 2), (3, 3), (4, 5))
    assert text_tokens(encoding, "a   b", "a   b").all()
    assert text_tokens(encoding, "a   b", "b").tolist() == [False] * 3 + [True]


def test_the_rules_of_graphs():
    ids = tf.constant([[0, 5, 2, 1], [1, 1, 0, 2]], tf.int64)
    mask = tf.constant([[1, 1, 1, 0], [0, 0, 1, 1]], tf.int64)
    first = tf.function(GRAPH_RULES["first"])(ids, mask)
    assert first.numpy().astype(int).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert not GRAPH_RULES["none"](ids, mask).numpy().any()
