"""Tests of BPE in TensorFlow ops, its rounds and its chunks."""

import random
import string
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.tokenization.conftest import FILES
from tf_led.tokenization.graph import bpe as graph_bpe
from tf_led.tokenization.graph.bpe import GraphBpe, Merger, cut, every_second, join
from tf_led.tokenization.graph.tables import read_bpe
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

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


def as_lists(*tensors):
    return [tensor.numpy().tolist() for tensor in tensors]


def test_chunks_overlap_by_a_step():
    chunks = cut(tf.constant([2, 13]), tf.constant([11, 3]), tf.constant(4))
    assert as_lists(chunks.start, chunks.length) == [[2, 6, 13], [8, 7, 3]]
    assert as_lists(chunks.stretch, chunks.number) == [[0, 0, 1], [0, 1, 0]]
    assert as_lists(chunks.is_last) == [[False, True, True]]


def test_symbols_of_chunks():
    chunks = cut(tf.constant([2]), tf.constant([5]), tf.constant(2))
    symbols, chunk = as_lists(*chunks.symbols())
    assert symbols == [2, 3, 4, 5, 4, 5, 6]
    assert chunk == [0, 0, 0, 0, 1, 1, 1]


def joined(tokens, starts, lengths, step):
    """Joins (chunk, start, end); gives the chosen ones and the failed stretches."""
    chunks = cut(tf.constant(starts), tf.constant(lengths), tf.constant(step))
    chunk, start, end = (tf.constant(part) for part in zip(*tokens, strict=True))
    size = len(starts)
    chosen, failed = join(chunks, chunk, start, end, size, 31)
    kept = [token for token, is_kept in zip(tokens, chosen, strict=True) if is_kept]
    return kept, failed.numpy().tolist()


def test_tokens_are_joined_at_the_last_one_in_common():
    first = [(0, 0, 3), (0, 3, 5), (0, 5, 7), (0, 7, 8)]
    second = [(1, 4, 5), (1, 5, 7), (1, 7, 11)]
    kept, failed = joined(first + second, [0], [11], 4)
    assert kept == [*first[:3], second[2]]
    assert failed == [False]


def test_a_stretch_without_a_token_in_common_fails_alone():
    crossing = [(0, 0, 4), (0, 4, 8), (1, 4, 7), (1, 7, 11)]
    alone = [(2, 11, 13), (2, 13, 14)]
    kept, failed = joined(crossing + alone, [0, 11], [11, 3], 4)
    assert kept == alone
    assert failed == [True, False]


VOCAB = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
VOCAB |= {"a": 5, "b": 6, "ab": 7, "abab": 8}


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        ([1, 1, 1, 0, 1, 1], [1, 0, 1, 0, 1, 0]),
        ([0, 1, 1, 1, 1], [0, 1, 0, 1, 0]),
        ([], []),
    ],
)
def test_every_second_of_a_run(mask, kept):
    mask = tf.constant([value > 0 for value in mask], tf.bool)
    assert every_second(mask).numpy().tolist() == [bool(value) for value in kept]


def test_stretches_do_not_merge_with_each_other():
    merger = Merger(read_bpe(LEDTokenizer(VOCAB, [("a", "b"), ("ab", "ab")])))
    ids = tf.constant([5, 6, 5, 6, 5, 5, 6, 6])
    stretch = tf.constant([0, 0, 0, 1, 1, 2, 2, 2])
    token, start = (part.numpy().tolist() for part in merger(ids, stretch, 3))
    found = sorted(zip(start, token, strict=True))
    assert found == [(0, 7), (2, 5), (3, 6), (4, 5), (5, 7), (7, 6)]


def test_nothing_to_merge():
    merger = Merger(read_bpe(LEDTokenizer(VOCAB, [])))
    token, start = merger(tf.constant([5, 6]), tf.constant([0, 0]), 1)
    assert token.numpy().tolist() == [5, 6] and start.numpy().tolist() == [0, 1]
