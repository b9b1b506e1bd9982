"""Tests of the refusals of the tokenizer in TensorFlow ops."""

import pytest
import tensorflow as tf
from tokenizers import processors

from tests.tokenization.conftest import FILES
from tf_led.tokenization.graph_tokenizer import GraphTokenizer
from tf_led.tokenization.led_tokenizer import LEDTokenizer, LEDTokenizerFast


@pytest.fixture(scope="module")
def graph():
    return GraphTokenizer(LEDTokenizer(*FILES))


def test_decoding_that_does_not_replace_is_refused():
    with pytest.raises(ValueError, match="errors='ignore'"):
        GraphTokenizer(LEDTokenizer(*FILES, errors="ignore"))
    assert GraphTokenizer(LEDTokenizerFast(*FILES, errors="ignore"))


def test_special_tokens_must_count_as_such():
    tokenizer = LEDTokenizer(*FILES)
    tokenizer.backend_tokenizer.encode_special_tokens = True
    with pytest.raises(ValueError, match="split_special_tokens"):
        GraphTokenizer(tokenizer)


def test_a_text_must_have_one_token_at_either_end():
    tokenizer = LEDTokenizer(*FILES)
    rust = tokenizer.backend_tokenizer
    rust.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 0)])
    with pytest.raises(ValueError, match=r"puts \[0\] around"):
        GraphTokenizer(tokenizer)


@pytest.mark.parametrize("texts", ["one", [["a", "b"]]])
def test_texts_of_another_rank_are_refused(graph, texts):
    shape = str(tf.constant(texts).shape).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=f"`texts` must have rank 1.*{shape}"):
        graph.encode(texts)


def test_ids_of_another_rank_or_type_are_refused(graph):
    with pytest.raises(ValueError, match=r"`ids` must have rank 2.*\(3,\)"):
        graph.decode([3, 5, 7])
    with pytest.raises(TypeError, match="float32"):
        graph.decode([[0.5]])


def test_lengths_without_room_are_refused(graph):
    with pytest.raises(ValueError, match="`max_length`.*at least 3, got 2"):
        graph.encode(["a"], max_length=2)
    with pytest.raises(ValueError, match="`max_length`.*at least 1, got 0"):
        graph.encode(["a"], max_length=0, add_special_tokens=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least 3"):
        graph.encode(["a"], max_length=tf.constant(2))
    with pytest.raises(ValueError, match="`pad_to_multiple_of`.*got 0"):
        graph(["a"], pad_to_multiple_of=0)
