"""Tests of BPE in TensorFlow ops, its rounds and its chunks."""

import random
import string
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.tokenization.conftest import FILES
from tf_led.tokenization import graph_bpe
from tf_led.tokenization.graph_bpe import GraphBpe
from tf_led.tokenization.graph_tables import read_bpe
from tf_led.tokenization.led_tokenizer import LEDTokenizerFast

SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}


def made(tokenizer):
    bpe = GraphBpe(read_bpe(tokenizer))
    call = tf.function(bpe, input_signature=[tf.TensorSpec([None], tf.string)])
    return SimpleNamespace(call=call, tokenizer=tokenizer)


def doubling(character, times):
    """A tokenizer of `a`, `aa`, `aaaa` and so on."""
    tokens = [character * 2**i for i in range(times + 1)]
    vocab = SPECIAL | {token: 5 + i for i, token in enumerate(tokens)}
    return LEDTokenizerFast(vocab, [(token, token) for token in tokens[:-1]])


def check(made, words):
    """Words are such that each is one word to the tokenizer as well."""
    wanted = made.tokenizer(words, add_special_tokens=False)["input_ids"]
    assert made.call(tf.constant(words)).to_list() == wanted


@pytest.fixture(scope="module")
def bpe():
    return made(LEDTokenizerFast(*FILES))


@pytest.fixture(scope="module")
def chunked():
    """Chunks of 14 bytes, one every 7."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_bpe, "_STEP", 7)
        patch.setattr(graph_bpe, "_GROWTH", 2)
        chunked = made(LEDTokenizerFast(*FILES))
        chunked.call(tf.constant(["traced with these"]))
    return chunked


def random_words(rng, alphabet, longest, count):
    return [
        "".join(rng.choices(alphabet, k=rng.randrange(1, longest)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", ["bpe", "chunked"])
@pytest.mark.parametrize("alphabet", [string.ascii_letters, "inoteras", "日本é語", "e"])
def test_ids_of_random_words(request, name, alphabet):
    rng = random.Random(alphabet)
    check(request.getfixturevalue(name), random_words(rng, alphabet, 61, 101))


@pytest.mark.parametrize("name", ["bpe", "chunked"])
def test_ids_of_long_words(request, name):
    rng = random.Random(3)
    period = "".join(rng.choices("torine", k=5))
    words = ["".join(rng.choices("torine", k=4099)), period * 809, "e" * 3001]
    check(request.getfixturevalue(name), words)


def test_chunks_without_a_token_in_common_are_done_again(monkeypatch):
    monkeypatch.setattr(graph_bpe, "_STEP", 3)
    monkeypatch.setattr(graph_bpe, "_GROWTH", 2)
    passes = []
    plain = GraphBpe._pass
    monkeypatch.setattr(
        GraphBpe, "_pass", lambda *a: (passes.append(int(a[4])), plain(*a))[1]
    )
    tokenizer = doubling("a", 4)
    ids = GraphBpe(read_bpe(tokenizer))(tf.constant(["a" * 53]))
    assert ids.to_list() == [[9, 9, 9, 7, 5]]
    assert passes[:2] == [3, 6]


def test_the_lowest_rank_comes_first_and_of_equal_ones_the_leftmost():
    vocab = SPECIAL | {"a": 5, "b": 6, "aa": 7, "ab": 8, "aab": 9}
    merges = [("a", "b"), ("a", "a"), ("a", "ab")]
    check(made(LEDTokenizerFast(vocab, merges)), ["aab", "aaab", "aaaab", "aaaaa"])


def test_ranks_need_not_grow_with_the_tokens():
    vocab = SPECIAL | {"a": 5, "b": 6, "c": 7, "ab": 8, "abc": 9, "bc": 10, "abca": 11}
    merges = [("ab", "c"), ("abc", "a"), ("b", "c"), ("a", "b")]
    rng = random.Random(5)
    check(made(LEDTokenizerFast(vocab, merges)), random_words(rng, "abc", 23, 101))


def test_bytes_that_the_vocabulary_lacks_are_left_out():
    vocab = SPECIAL | {"a": 5, "b": 6, "ab": 7}
    made_of_two = made(LEDTokenizerFast(vocab, [("a", "b")]))
    check(made_of_two, ["axb", "xyz", "日ab日", "abx"])


def test_no_words_have_no_ids(bpe):
    assert bpe.call(tf.zeros([0], tf.string)).to_list() == []
    assert bpe.call(tf.constant([""])).to_list() == [[]]
