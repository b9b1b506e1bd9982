"""Tests of the tokenizer as a TensorFlow graph, against the tokenizer itself."""

import random
import subprocess
import sys

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from tests.tokenization.conftest import BOTH, FILES
from tests.tokenization.make_golden import TEXTS
from tf_led.tokenization.graph.tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast

PARTS = ["the", "in", "er", "A", "é", "日本", "12", "½", ".", "!", "'s", "'ll", "'"]
PARTS += [" ", "  ", "\n", "\u3000", "\0", "👩\u200d👧", "❤\ufe0f", "\u0301", "\ufeff"]
PARTS += ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "<mask", "mask>", "</", "<<"]
TEXT = [tf.TensorSpec([None], tf.string)]

# Nothing of ours, nor the tokenizer's library: as a server has it.
LOADER = """
import sys
import tensorflow as tf
call = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
found = call(text=tf.constant(["Hello <mask> world", "", "日本"]))
print(found["ids"].numpy().tolist(), [t.decode() for t in found["text"].numpy()])
assert "tokenizers" not in sys.modules and "tf_led" not in sys.modules
"""


@pytest.fixture(scope="module")
def slow_graph():
    return GraphTokenizer(LEDTokenizer(*FILES))


@pytest.fixture(scope="module")
def encode(slow_graph):
    return tf.function(slow_graph.encode, input_signature=TEXT)


@pytest.mark.slow
@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("prefix", [True, False])
def test_ids_of_the_texts_that_both_tokenizers_were_asked_for(cls, prefix):
    tokenizer = cls(*FILES, add_prefix_space=prefix)
    found = GraphTokenizer(tokenizer).encode(TEXTS)
    assert found.dtype == tf.int32
    assert found.to_list() == tokenizer(TEXTS)["input_ids"]


@pytest.mark.slow
def test_ids_of_random_texts(encode, slow):
    rng = random.Random(13)
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(23))) for _ in range(2003)]
    assert encode(tf.constant(texts)).to_list() == slow(texts)["input_ids"]


@settings(deadline=None, max_examples=200)
@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
def test_ids_of_any_texts(encode, texts):
    wanted = LEDTokenizer(*FILES)(texts)["input_ids"]
    assert encode(tf.constant([text.encode() for text in texts])).to_list() == wanted


@pytest.mark.large
def test_ids_of_every_character(encode, slow):
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    parts = [f"a{c}a {c}1{c}! {c}'s\n{c}{c}" for c in map(chr, codes)]
    for start in range(0, len(parts), 1 << 17):
        rows = parts[start : start + (1 << 17)]
        texts = ["".join(rows[i : i + 128]) for i in range(0, len(rows), 128)]
        assert encode(tf.constant(texts)).to_list() == slow(texts)["input_ids"]


def test_ids_of_any_bytes(encode, slow):
    rng = random.Random(17)
    texts = [rng.randbytes(rng.randrange(29)) for _ in range(499)]
    replaced = [text.decode("utf-8", errors="replace") for text in texts]
    assert encode(tf.constant(texts)).to_list() == slow(replaced)["input_ids"]


def test_ids_of_a_long_text(encode, slow):
    rng = random.Random(19)
    text = "".join(rng.choices(PARTS, k=50_000)) + "in" * 20_000
    assert encode(tf.constant([text])).to_list() == slow([text])["input_ids"]


@pytest.mark.large
@pytest.mark.parametrize("parts", [PARTS, ["in"], ["a"], ["日本"], ["<mask>"]])
def test_ids_of_a_megabyte(encode, slow, parts):
    rng = random.Random(23)
    text = "".join(rng.choices(parts, k=2**20 // len(parts[0].encode())))
    assert len(text.encode()) > 999_999
    assert encode(tf.constant([text])).to_list() == slow([text])["input_ids"]


def test_no_texts(encode):
    assert encode(tf.zeros([0], tf.string)).to_list() == []
    assert encode(tf.constant(["", ""])).to_list() == [[0, 2], [0, 2]]


@pytest.mark.slow
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("max_length", [3, 10, 95])
def test_cut_and_padded_as_by_the_tokenizer(side, max_length):
    multiple = None if max_length == 3 else 5  # the tokenizer wants it to divide
    tokenizer = LEDTokenizerFast(*FILES, truncation_side=side, padding_side=side)
    wanted = tokenizer(
        TEXTS,
        truncation=True,
        max_length=max_length,
        padding=True,
        pad_to_multiple_of=multiple,
        return_tensors="np",
    )
    graph = GraphTokenizer(tokenizer)
    for length in (max_length, tf.constant(max_length)):
        found = graph(TEXTS, max_length=length, pad_to_multiple_of=multiple)
        assert found.keys() == wanted.keys()
        for name, values in found.items():
            assert values.dtype == tf.int32
            assert values.numpy().tolist() == wanted[name].tolist()


def test_ids_without_special_tokens(slow_graph, slow):
    found = slow_graph.encode(TEXTS, max_length=5, add_special_tokens=False)
    wanted = slow(TEXTS, add_special_tokens=False)["input_ids"]
    assert found.to_list() == [row[:5] for row in wanted]


@pytest.mark.slow
def test_an_exported_tokenizer_needs_nothing_of_ours(slow_graph, slow, tmp_path):
    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = slow_graph

        @tf.function(input_signature=TEXT)
        def serve(self, text):
            ids = self.tokenizer(text)["input_ids"]
            return {"ids": ids, "text": self.tokenizer.decode(ids)}

    served = Served()
    tf.saved_model.save(served, str(tmp_path), signatures=served.serve)
    command = [sys.executable, "-c", LOADER, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    texts = ["Hello <mask> world", "", "日本"]
    ids = slow(texts, padding=True)["input_ids"]
    wanted = slow.batch_decode(ids, skip_special_tokens=True)
    assert answer.stdout.strip() == f"{ids} {wanted}", answer.stderr[-2000:]


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
