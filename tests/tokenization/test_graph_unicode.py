"""Tests of the character tables that the tokenizers library is asked for."""

import unicodedata

import pytest

from tf_led.tokenization.graph_unicode import (
    LETTER,
    NUMBER,
    OTHER,
    SPACE,
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
