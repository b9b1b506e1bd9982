"""Tests of finding added tokens inside text."""

import random

import pytest
import tensorflow as tf
from tokenizers import AddedToken

from tests.tokenization.conftest import FILES
from tf_led.tokenization.graph.added import AddedTokens, escaped, ranges
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast


def token(content, **flags):
    return AddedToken(content, **{"normalized": False, **flags})


def pieces(tokens, text):
    found = AddedTokens(dict(enumerate(tokens)))(tf.constant([text]))
    return [
        part.decode() if token_id < 0 else int(token_id)
        for part, token_id in zip(found.text.numpy(), found.token_id, strict=True)
    ]


def test_the_longest_of_the_leftmost_matches_counts():
    tokens = [token("ab"), token("abc"), token("bcd")]
    assert pieces(tokens, "abcd ab bcd") == [1, "d ", 0, " ", 2]


def test_tokens_that_are_not_normalized_come_first():
    tokens = [token("abc", normalized=True), token("bc")]
    assert pieces(tokens, "abc") == ["a", 1]


def test_spaces_beside_a_token_go_along():
    tokens = [token("L", lstrip=True), token("R", rstrip=True)]
    text = "a \u3000L b R \n c RL  L"
    assert pieces(tokens, text) == ["a", 0, " b ", 1, "c ", 1, 0, 0]


def test_a_token_that_stands_alone_touches_no_word():
    tokens = [token("X", single_word=True), token("!")]
    assert pieces(tokens, "X aX X_ -X- X") == [0, " aX X_ -", 0, "- ", 0]
    assert pieces(tokens, "!XX!X") == [1, "XX", 1, 0]


def test_no_added_tokens_leave_the_text():
    assert pieces([], "a <mask>") == ["a <mask>"]
    assert pieces([token("a")], "") == []


@pytest.mark.parametrize("seed", range(4))
def test_ids_are_the_tokenizers_whatever_the_flags(seed):
    rng = random.Random(seed)
    contents = rng.sample(["[X]", "[XY]", "ab", "é", "foo b", "Ġ", "\0", "a.b"], 5)
    flags = ("lstrip", "rstrip", "single_word", "normalized")
    tokens = [
        AddedToken(content, **{flag: rng.random() < 0.4 for flag in flags})
        for content in contents
    ]
    tokenizer = (LEDTokenizer, LEDTokenizerFast)[seed % 2](
        *FILES, add_prefix_space=seed > 1
    )
    tokenizer.add_tokens(tokens)
    parts = [*contents, "<mask>", "<s>", " ", "\n", "\u3000", "a", "x", "_", "\u0301"]
    texts = ["".join(rng.choices(parts, k=rng.randrange(11))) for _ in range(199)]
    found = GraphTokenizer(tokenizer).encode(tf.constant(texts))
    assert found.to_list() == tokenizer(texts)["input_ids"]


def test_a_token_that_another_would_swallow_raises():
    with pytest.raises(ValueError, match=r"'R' with `rstrip` beside ' q'"):
        AddedTokens({7: token("R", rstrip=True), 11: token(" q")})


def test_patterns_mean_the_characters_alone():
    assert escaped(b"a.\x00]") == rb"a\x2e\x00\x5d"
    assert ranges("bcad\u3000") == r"\x{61}-\x{64}\x{3000}-\x{3000}"
