"""Tests of decoding in TensorFlow ops."""

import random

import pytest
import tensorflow as tf
from tokenizers import AddedToken

from tests.tokenization.conftest import BOTH, FILES
from tf_led.tokenization.graph.tokenizer import GraphTokenizer


@pytest.fixture(scope="module", params=BOTH, ids=lambda cls: cls.__name__)
def pair(request):
    tokenizer = request.param(*FILES)
    tokenizer.add_tokens(["plain", AddedToken("日 x", special=True), "Ġé"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<extra>"]})
    return tokenizer, GraphTokenizer(tokenizer)


def decoded(graph, ids, *options):
    return [text.decode() for text in graph.decode(ids, *options).numpy()]


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("clean_up", [True, False, None])
def test_texts_are_the_tokenizers(pair, skip, clean_up):
    tokenizer, graph = pair
    rng = random.Random(11)
    added = list(tokenizer.added_tokens_decoder)
    # Half of the ids are bytes, most of them no UTF-8; two are beyond the vocabulary.
    ids = [*range(4, 260), *range(len(tokenizer) + 2), *added * 13]
    rows = [rng.choices(ids, k=13) for _ in range(499)]
    wanted = tokenizer.batch_decode(
        rows, skip_special_tokens=skip, clean_up_tokenization_spaces=clean_up
    )
    assert decoded(graph, tf.constant(rows), skip, clean_up) == wanted


def test_special_tokens_are_left_out_unless_told(pair):
    tokenizer, graph = pair
    rows = [[0, 70, 2, 1]]
    assert decoded(graph, rows) == tokenizer.batch_decode(
        rows, skip_special_tokens=True
    )
    assert decoded(graph, rows, False) == tokenizer.batch_decode(rows)


def test_spaces_before_punctuation_go(pair):
    tokenizer, graph = pair
    texts = ["a . b ? c ! d , e ' f n't 'm 's 've 're", " ..  ' s"]
    rows = tokenizer(texts)["input_ids"]
    wanted = tokenizer.batch_decode(
        rows, skip_special_tokens=True, clean_up_tokenization_spaces=True
    )
    assert wanted[0] == "a. b? c! d, e'fn't'm's've're"
    assert decoded(graph, tf.ragged.constant(rows), True, True) == wanted


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_ragged_and_empty_rows(pair, dtype):
    tokenizer, graph = pair
    rows = [[70, 71], [], [0, 2]]
    ids = tf.ragged.constant(rows, dtype)
    assert decoded(graph, ids) == [tokenizer.decode([70, 71]), "", ""]
    assert decoded(graph, tf.zeros([0, 7], dtype)) == []
    assert decoded(graph, tf.zeros([2, 0], dtype)) == ["", ""]


def test_a_negative_id_raises(pair):
    with pytest.raises(tf.errors.InvalidArgumentError, match="-100"):
        pair[1].decode([[70, -100]])
