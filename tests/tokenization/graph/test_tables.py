"""Tests of the rejections of the tokenizer in TensorFlow ops."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from tests.tokenization.conftest import FILES
from tf_led.tokenization.graph.tables import read_bpe, token_bytes
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast


@pytest.fixture(scope="module")
def graph():
    return GraphTokenizer(LEDTokenizer(*FILES))


def test_decoding_that_does_not_replace_raises():
    with pytest.raises(ValueError, match="errors='ignore'"):
        GraphTokenizer(LEDTokenizer(*FILES, errors="ignore"))
    assert GraphTokenizer(LEDTokenizerFast(*FILES, errors="ignore"))


def test_special_tokens_must_count_as_such():
    tokenizer = LEDTokenizer(*FILES, split_special_tokens=True)
    with pytest.raises(ValueError, match="split_special_tokens"):
        GraphTokenizer(tokenizer)


def test_a_text_must_have_one_token_at_either_end():
    tokenizer = LEDTokenizer(*FILES)
    rust = tokenizer.backend_tokenizer
    rust.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 0)])
    with pytest.raises(ValueError, match=r"puts \[0\] around"):
        GraphTokenizer(tokenizer)


@pytest.mark.parametrize("texts", ["one", [["a", "b"]]])
def test_texts_of_another_rank_raise(graph, texts):
    shape = str(tf.constant(texts).shape).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=f"`texts` must have rank 1.*{shape}"):
        graph.encode(texts)


def test_ids_of_another_rank_or_type_raise(graph):
    with pytest.raises(ValueError, match=r"`ids` must have rank 2.*\(3,\)"):
        graph.decode([3, 5, 7])
    with pytest.raises(TypeError, match="float32"):
        graph.decode([[0.5]])


def test_lengths_without_room_raise(graph):
    with pytest.raises(ValueError, match="`max_length`.*at least 3, got 2"):
        graph.encode(["a"], max_length=2)
    with pytest.raises(ValueError, match="`max_length`.*at least 1, got 0"):
        graph.encode(["a"], max_length=0, add_special_tokens=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least 3"):
        graph.encode(["a"], max_length=tf.constant(2))
    with pytest.raises(ValueError, match="`pad_to_multiple_of`.*got 0"):
        graph(["a"], pad_to_multiple_of=0)


VOCAB = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
VOCAB |= {"a": 5, "b": 6, "Ġ": 7, "ab": 8, "Ġab": 9}


class Holder:
    """What `read_bpe` asks of a tokenizer, around any Rust tokenizer."""

    def __init__(self, **changes):
        self.backend_tokenizer = Tokenizer(models.BPE(VOCAB, [], unk_token=None))
        self.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
        self.backend_tokenizer.decoder = decoders.ByteLevel()
        for name, value in changes.items():
            setattr(self.backend_tokenizer, name, value)


def test_tables_of_a_small_tokenizer():
    tables = read_bpe(LEDTokenizer(VOCAB, [("a", "b"), ("Ġ", "ab")]))
    known = {ord("a"): 5, ord("b"): 6, ord(" "): 7}
    assert tables.byte_ids.tolist() == [known.get(byte, -1) for byte in range(256)]
    assert tables.pairs.tolist() == [[5, 6], [7, 8]]
    assert tables.results.tolist() == [8, 9]
    assert tables.lengths[5:].tolist() == [1, 1, 1, 2, 3]
    wanted = [[ord(" "), ord("a")], [ord("a"), ord("b")]]
    assert np.argwhere(tables.touches).tolist() == wanted


def test_merges_need_not_be_there():
    tables = read_bpe(LEDTokenizer(VOCAB, []))
    assert tables.pairs.size == 0 and not tables.touches.any()


def test_bytes_of_tokens():
    assert token_bytes("Ġaé") == b" a\xe9"
    assert token_bytes("日 é") == "日 é".encode()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"normalizer": normalizers.Lowercase()}, "normalizer.*Lowercase"),
        ({"pre_tokenizer": pre_tokenizers.Whitespace()}, "pre_tokenizer.*Whitespace"),
        ({"decoder": decoders.WordPiece()}, "decoder.*WordPiece"),
        ({"model": models.WordLevel(VOCAB, "<unk>")}, "model.*WordLevel"),
        ({"model": models.BPE(VOCAB, [], dropout=0.5)}, "dropout.*0.5"),
        ({"model": models.BPE(VOCAB, [], byte_fallback=True)}, "byte_fallback.*True"),
        ({"model": models.BPE(VOCAB, [], ignore_merges=True)}, "ignore_merges.*True"),
        ({"model": models.BPE(VOCAB, [], unk_token="<unk>")}, "byte 0, .*'<unk>'"),
    ],
)
def test_what_a_graph_does_not_do_raises(changes, found):
    with pytest.raises(ValueError, match=found):
        read_bpe(Holder(**changes))


def test_a_pair_listed_twice_has_its_last_place():
    tokenizer = LEDTokenizer(VOCAB, [("a", "b"), ("Ġ", "ab"), ("a", "b")])
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    pairs = read_bpe(tokenizer).pairs.tolist()
    assert len(pairs) == len({tuple(merge) for merge in merges}) == 2
