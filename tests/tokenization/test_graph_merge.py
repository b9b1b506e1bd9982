"""Tests of the merges over many stretches at once."""

import pytest
import tensorflow as tf

from tf_led.tokenization.graph_merge import Merger, every_second
from tf_led.tokenization.graph_tables import read_bpe
from tf_led.tokenization.led_tokenizer import LEDTokenizer

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
