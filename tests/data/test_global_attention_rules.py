import numpy as np
import pytest

from tf_led.data.global_attention_rules import choose_rule, first_token


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


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="'first', 'question', .*got 'all'"):
        choose_rule("all", Tokenizer())


@pytest.mark.parametrize("separator", ["<sep>", None])
def test_a_separator_that_is_no_token_is_refused(separator):
    with pytest.raises(ValueError, match=f"`separator` is {separator!r}, which"):
        choose_rule("separators", Tokenizer(), separator)
