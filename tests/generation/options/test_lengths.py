"""Lengths: what wins, what is counted, what the decoder has positions for."""

import logging

import pytest

from tf_led.generation.options.lengths import resolve_lengths
from tf_led.generation.options.option_table import DEFAULTS


def resolve(prompt_len=1, position_limit=None, **given):
    values = {**DEFAULTS, **given}
    resolve_lengths(
        values,
        lengths_set={"max_length", "min_length"} & set(given),
        prompt_len=prompt_len,
        position_limit=position_limit,
    )
    return values["max_length"], values["min_length"]


def test_nothing_set_means_20_new_tokens_and_a_warning():
    with pytest.warns(UserWarning, match="at most 20 new tokens"):
        assert resolve(prompt_len=3) == (23, 0)


def test_lengths_count_the_prompt_and_new_tokens_do_not():
    assert resolve(prompt_len=3, max_length=11, min_length=5) == (11, 5)
    assert resolve(prompt_len=3, max_new_tokens=11, min_new_tokens=5) == (14, 8)


def test_new_tokens_win_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        given = {"max_length": 5, "max_new_tokens": 11}
        assert resolve(**given, min_length=2, min_new_tokens=3) == (12, 4)
    assert "`max_new_tokens` (11) and `max_length` (5)" in caplog.text
    assert "`min_new_tokens` (3) and `min_length` (2)" in caplog.text


@pytest.mark.parametrize("prompt_len", [7, 9])
def test_a_prompt_that_leaves_no_room_is_refused(prompt_len):
    with pytest.raises(ValueError, match=f"`max_length` is 7.* {prompt_len} tokens"):
        resolve(prompt_len=prompt_len, max_length=7)


def test_positions_bound_the_length_but_the_last_token_needs_none():
    assert resolve(position_limit=13, max_length=14) == (14, 0)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_length=15)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_new_tokens=14)


def test_contrastive_search_needs_a_position_for_the_last_token_too():
    contrastive = {"penalty_alpha": 0.6, "top_k": 4}
    assert resolve(position_limit=13, max_length=13, **contrastive) == (13, 0)
    with pytest.raises(ValueError, match="is 14, but the decoder has 13 .* most 13"):
        resolve(position_limit=13, max_length=14, **contrastive)


@pytest.mark.parametrize(
    ("given", "name"),
    [({"min_length": 11}, "min_length"), ({"min_new_tokens": 11}, "min_new_tokens")],
)
def test_a_minimum_beyond_the_maximum_is_warned_of(given, name):
    with pytest.warns(UserWarning, match=rf"`{name}` \(11\) .* length of 7"):
        resolve(max_length=7, **given)
