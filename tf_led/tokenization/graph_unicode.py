"""What the tokenizers library takes for letters, numbers, whitespace and words."""

from functools import cache

import numpy as np
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

NUM_CODE_POINTS = 0x110000
OTHER, SPACE, LETTER, NUMBER = range(4)

# Every other plane is unassigned or private.
_PLANES = (0, 1, 2, 3, 14)
_SURROGATES = range(0xD800, 0xE000)
_MARK = "\ue000"


@cache
def character_classes():
    r"""Asks the library's byte-level splitter for the class of every character.

    `\s`, `\p{L}` and `\p{N}` change with the version of Unicode, and RE2's `\s` is
    ASCII alone; asking the library leaves no room for a difference.

    Returns:
        uint8[1114112]: OTHER, SPACE, LETTER or NUMBER by code point.
    """
    characters = _characters(_PLANES)
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    classes = np.full(NUM_CODE_POINTS, OTHER, np.uint8)
    # A piece holds characters of one class alone: these two would break that.
    text = "".join(c for c in characters if c not in " '")
    for _, (start, stop) in splitter.pre_tokenize_str(text):
        codes = [ord(character) for character in text[start:stop]]
        classes[codes] = _class_of(splitter, text[start])
    classes[ord(" ")] = SPACE
    return classes


@cache
def whitespace():
    """Asks the library which characters a token with `lstrip` takes along.

    Returns:
        str: the characters in a row.
    """
    stripping = AddedToken(_MARK, lstrip=True, normalized=False)
    characters = [c for c in _characters((0,)) if c != _MARK]
    matches = _offsets(stripping, "".join(c + _MARK for c in characters))
    return "".join(characters[start // 2] for start, _ in matches if start % 2 == 0)


@cache
def word_characters():
    """Asks the library which characters a token with `single_word` cannot touch.

    Returns:
        frozenset of str.
    """
    alone = AddedToken(_MARK, single_word=True, normalized=False)
    characters = [c for c in _characters(_PLANES) if c != _MARK]
    matches = _offsets(alone, "".join(f"{c}{_MARK} " for c in characters))
    free = {characters[start // 3] for start, _ in matches}
    return frozenset(characters) - free


def _characters(planes):
    codes = (code for plane in planes for code in range(plane << 16, (plane + 1) << 16))
    return [chr(code) for code in codes if code not in _SURROGATES]


def _class_of(splitter, character):
    """Two characters of one class stay in one piece."""
    for name, friend in ((LETTER, "a"), (NUMBER, "1"), (OTHER, "!")):
        if len(splitter.pre_tokenize_str(friend + character)) == 1:
            return name
    return SPACE


def _offsets(token, text):
    """Where a tokenizer that knows nothing else finds the token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([token])
    return tokenizer.encode(text).offsets
