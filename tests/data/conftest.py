"""A tokenizer of one letter a token."""

import pytest

from tf_led import LEDTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<doc>"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="session")
def letters():
    """Ids: special tokens 0 to 4, `<doc>` 5, a 6, b 7, ..., and a space."""
    vocab = {token: i for i, token in enumerate([*SPECIAL, *LETTERS, "\u0120"])}
    return LEDTokenizerFast(vocab, [], additional_special_tokens=["<doc>"])
