"""Special tokens around ids, and the names that transformers 4.57 gave them."""

from collections.abc import Sequence

from tokenizers import AddedToken
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer

from tf_led.tokenization.batch_encoding import as_lists


class SpecialTokensMixin:
    """The special-token methods that version 5 of transformers lost."""

    # The tokens put at the two ends of a text.
    _ENDS = ("cls_token_id", "sep_token_id")

    def build_inputs_with_special_tokens(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Puts the special tokens around one sequence of ids or around a pair.

        One sequence becomes `<s> A </s>`, a pair `<s> A </s></s> B </s>`.

        Args:
            token_ids_0: list of int. The ids of the first sequence.
            token_ids_1: list of int. The ids of the second, if there is one.

        Returns:
            list of int.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab=vocab, merges=[])
            >>> tokenizer.build_inputs_with_special_tokens([4, 4])
            [0, 4, 4, 2]
        """
        first, last = (getattr(self, name) for name in self._ENDS)
        ids = [first, *as_lists(token_ids_0), last]
        return (
            ids if token_ids_1 is None else [*ids, last, *as_lists(token_ids_1), last]
        )

    def create_token_type_ids_from_sequences(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Makes the token types, all 0: LED does not use them.

        Args:
            token_ids_0: list of int. The ids of the first sequence.
            token_ids_1: list of int. The ids of the second, if there is one.

        Returns:
            list of int, as long as `build_inputs_with_special_tokens` makes it.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.create_token_type_ids_from_sequences([4, 4])
            [0, 0, 0, 0]
        """
        return [0] * len(
            self.build_inputs_with_special_tokens(token_ids_0, token_ids_1)
        )

    def get_special_tokens_mask(
        self, token_ids_0, token_ids_1=None, already_has_special_tokens=False
    ):
        """Marks the special tokens.

        Args:
            token_ids_0: list of int. The ids of the first sequence.
            token_ids_1: list of int. The ids of the second, if there is one.
            already_has_special_tokens: bool. True if `token_ids_0` has its special
                tokens; False marks those that `build_inputs_with_special_tokens` adds.

        Returns:
            list of int: 1 for a special token, 0 for any other.

        Raises:
            ValueError: for a second sequence where the special tokens are there.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.get_special_tokens_mask([4, 4])
            [1, 0, 0, 1]
        """
        token_ids_0, token_ids_1 = as_lists(token_ids_0), as_lists(token_ids_1)
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, True)
        mask = [1, *[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, 1, *[0] * len(token_ids_1), 1]

    @property
    def additional_special_tokens(self):
        """List of str: special tokens with no name of their own."""
        return self.extra_special_tokens

    @additional_special_tokens.setter
    def additional_special_tokens(self, value):
        self.extra_special_tokens = value

    @property
    def additional_special_tokens_ids(self):
        """List of int: the ids of `additional_special_tokens`."""
        return self.convert_tokens_to_ids(self.additional_special_tokens)

    @property
    def special_tokens_map(self):
        """Dict of the special tokens by name, as str; empty ones are left out."""
        extra = self.additional_special_tokens
        named = super().special_tokens_map
        return {**named, "additional_special_tokens": extra} if extra else named

    @property
    def special_tokens_map_extended(self):
        """`special_tokens_map`, its tokens as AddedToken where they were given so."""
        extra = self._extra_special_tokens
        named = {
            name: self._special_tokens_map[name] for name in super().special_tokens_map
        }
        return {**named, "additional_special_tokens": extra} if extra else named

    @property
    def all_special_tokens_extended(self):
        """`all_special_tokens`, as AddedToken where they were given so."""
        named = self._special_tokens_map.values()
        tokens = [token for token in named if token is not None]
        by_text = {
            str(token): token for token in [*self._extra_special_tokens, *tokens]
        }
        return [by_text[text] for text in self.all_special_tokens]

    def sanitize_special_tokens(self) -> int:
        """Adds to the vocabulary those special tokens that it lacks.

        Returns:
            int: how many were added.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.sanitize_special_tokens()  # none is missing
            0
        """
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)

    def add_special_tokens(
        self,
        special_tokens_dict,
        replace_extra_special_tokens=True,
        *,
        replace_additional_special_tokens=None,
    ):
        """Sets special tokens by name, adding to the vocabulary those that it lacks.

        Args:
            special_tokens_dict: dict of str or AddedToken by name ("bos_token",
                "mask_token" and so on), and lists of them under
                "additional_special_tokens" or "extra_special_tokens".
            replace_extra_special_tokens: bool. False keeps the additional special
                tokens that are there and adds to them.
            replace_additional_special_tokens: the same by its name in transformers 4.

        Returns:
            int: how many tokens were added to the vocabulary.

        Raises:
            ValueError: if a name is not that of a special token.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokens = {"additional_special_tokens": ["<doc-sep>"]}
            >>> tokenizer.add_special_tokens(tokens)
            1
        """
        replace = replace_additional_special_tokens
        if replace is None:
            replace = replace_extra_special_tokens
        return super().add_special_tokens(special_tokens_dict, replace)


def as_added_tokens(kwargs):
    """Gives special tokens that are str the properties that they had in 4.57."""
    known = (kwargs.get("added_tokens_decoder") or {}).values()
    known = {str(token): token for token in known}
    tokens = {
        name: known.get(kwargs[name]) or as_added_token(name, kwargs[name])
        for name in RobertaTokenizer.SPECIAL_TOKENS_ATTRIBUTES
        if isinstance(kwargs[name], str)
    }
    return {**kwargs, **tokens}


def as_added_token(name, text):
    # The mask stands for a word, and words carry the space before them.
    is_mask = name == "mask_token"
    return AddedToken(text, lstrip=is_mask, normalized=True, special=True)
