"""Tests of the character tables that the tokenizers library is asked for."""

import random
import unicodedata

import pytest
import tensorflow as tf
from tokenizers import pre_tokenizers

from tf_led.tokenization.graph.words import (
    LETTER,
    NUMBER,
    OTHER,
    SPACE,
    WordSplitter,
    character_classes,
    whitespace,
    word_characters,
)


@pytest.mark.parametrize(
    ("characters", "wanted"),
    [
        ("aZéßяא日ʰǅ", LETTER),
        ("09²½Ⅷ٣", NUMBER),
        (" \t\n\r\x0b\x0c\x85\xa0\u1680\u2028\u3000", SPACE),
        ("!'_$\x00\x1c\u0301\u200b\u200d\ufeff😀\ue000\U000e0041\U0010ffff", OTHER),
    ],
)
def test_classes_of_known_characters(characters, wanted):
    classes = character_classes()
    assert {c: classes[ord(c)] for c in characters} == dict.fromkeys(characters, wanted)


def test_classes_agree_with_unicode_where_its_version_is_of_no_matter():
    classes = character_classes()
    initial = {LETTER: "L", NUMBER: "N"}
    for code in range(0x250):  # settled long ago
        category = unicodedata.category(chr(code))[0]
        assert (category in "LN") == (classes[code] in initial)
        assert initial.get(classes[code], category) == category


def test_spaces_that_a_mask_takes_along_are_the_spaces_of_unicode():
    spaces = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    spaces += "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
    assert whitespace() == spaces


def test_words_are_letters_digits_marks_and_underscores():
    words = word_characters()
    assert {*"aé日9_٣\u0301\u200d"} <= words
    assert not words & {*" !-'\n½😀\x00"}


LIBRARY = pre_tokenizers.ByteLevel(add_prefix_space=False)
PARTS = ["a", "é", "日", "1", "½", "!", "_", "😀", "\u0301", "\x00", "'", "''", "’"]
PARTS += [" ", "  ", "\t", "\n", "\xa0", "\u3000", "\x1c", "\u200b"]
PARTS += ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'r", "'l", "'S", "s", "e", "l"]


@pytest.fixture(scope="module")
def splitter():
    return WordSplitter()


def split(splitter, texts):
    words, text_idx = (part.numpy() for part in splitter(tf.constant(texts)))
    rows = [[] for _ in texts]
    for word, index in zip(words, text_idx, strict=True):
        rows[index].append(word.decode())
    return rows


def by_library(text):
    return [text[a:b] for _, (a, b) in LIBRARY.pre_tokenize_str(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("it's we'll", ["it", "'s", " we", "'ll"]),
        ("a 's!'s", ["a", " '", "s", "!'", "s"]),
        ("a  b\n\nc ", ["a", " ", " b", "\n", "\n", "c", " "]),
        ("'so're", ["'s", "o", "'re"]),
        ("\n's", ["\n", "'s"]),
    ],
)
def test_words_of_known_texts(splitter, text, words):
    assert split(splitter, [text]) == [words]


def test_words_are_the_librarys(splitter):
    rng = random.Random(7)
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(17))) for _ in range(3001)]
    assert split(splitter, texts) == [by_library(text) for text in texts]


def test_each_character_in_context(splitter):
    # All of the busy planes and a sample; all of them are in the tokenizer's tests.
    codes = [*range(0x3100), *range(0x3100, 0x110000, 101)]
    characters = [chr(code) for code in codes if not 0xD800 <= code < 0xE000]
    texts = [f"a{c}a {c}1{c}! {c}'s\n{c}{c}" for c in characters]
    assert split(splitter, texts) == [by_library(text) for text in texts]


def test_texts_do_not_see_each_other(splitter):
    texts = ["a'", "s ", " b", "c", ""]
    rows = [["a", "'"], ["s", " "], [" b"], ["c"], []]
    assert split(splitter, texts) == rows


def test_no_text_has_no_words(splitter):
    words, text_idx = splitter(tf.zeros([0], tf.string))
    assert words.shape == [0] and text_idx.shape == [0]
