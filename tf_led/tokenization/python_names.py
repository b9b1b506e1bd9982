"""Names of the Python LEDTokenizer of transformers 4.57 that users reach for."""

import json
from functools import cached_property

from tokenizers import AddedToken
from transformers.convert_slow_tokenizer import bytes_to_unicode


class PythonNamesMixin:
    """The vocabulary, the merges and the bytes as plain dicts, and added tokens."""

    @cached_property
    def encoder(self):
        """Dict of int by token: the vocabulary without what was added to it."""
        return self._tokenizer.get_vocab(with_added_tokens=False)

    @cached_property
    def decoder(self):
        """Dict of token by int: `encoder` turned round."""
        return {token_id: token for token, token_id in self.encoder.items()}

    @cached_property
    def bpe_ranks(self):
        """Dict of int by (str, str): the merges and the order they are done in."""
        merges = json.loads(self._tokenizer.to_str())["model"]["merges"]
        return {tuple(merge): rank for rank, merge in enumerate(merges)}

    @cached_property
    def byte_encoder(self):
        """Dict of str by int: the character that stands for each byte."""
        return bytes_to_unicode()

    @cached_property
    def byte_decoder(self):
        """Dict of int by str: `byte_encoder` turned round."""
        return {character: byte for byte, character in self.byte_encoder.items()}

    def prepare_for_tokenization(self, text, is_split_into_words=False, **kwargs):
        """Puts a space before a text where the tokenizer would see one.

        Args:
            text: str.
            is_split_into_words: bool. Whether the text is one word of several.
            **kwargs: `add_prefix_space`: bool; the tokenizer's own if left out.

        Returns:
            (str, dict): the text, and the arguments that were not used.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.prepare_for_tokenization("a", add_prefix_space=True)
            (' a', {})
        """
        wanted = kwargs.pop("add_prefix_space", self.add_prefix_space)
        if (wanted or is_split_into_words) and text and not text[0].isspace():
            text = " " + text
        return text, kwargs

    def add_tokens(self, new_tokens, special_tokens=False):
        """Adds tokens to the vocabulary.

        Args:
            new_tokens: str or AddedToken, or list of them.
            special_tokens: bool. Whether they are special; then they are among
                `additional_special_tokens` from now on.

        Returns:
            int: how many were not there before.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.add_tokens(["<x>", "<y>"]), tokenizer.add_tokens("<y>")
            (2, 0)
        """
        added = super().add_tokens(new_tokens, special_tokens)
        tokens = new_tokens if isinstance(new_tokens, (list, tuple)) else [new_tokens]
        for token in tokens:
            special = special_tokens or getattr(token, "special", False)
            if special and str(token) not in self.all_special_tokens:
                self._extra_special_tokens.append(as_special(token))
        return added


def as_special(token):
    if not isinstance(token, str):
        return token
    return AddedToken(token, normalized=False, special=True)
