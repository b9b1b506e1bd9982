"""From ids back to tokens and text: methods that both tokenizers have."""

from typing import Any, overload

from tf_led.tokenization.batch_encoding import as_lists

# What cleaning up replaces, in this order.
CLEANED = (
    *((f" {mark}", mark) for mark in ".?!,"),
    (" ' ", "'"),
    *((f" {ending}", ending) for ending in ("n't", "'m", "'s", "'ve", "'re")),
)


class DecodingMixin:
    """Gives a tokenizer `decode` and its kin, by the rules of its `_compat`."""

    @overload
    def decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        **kwargs: Any,
    ) -> str: ...

    @overload
    def decode(
        self, token_ids: Any, skip_special_tokens: bool = False, **kwargs: Any
    ) -> Any: ...

    def decode(
        self, token_ids: Any, skip_special_tokens: bool = False, **kwargs: Any
    ) -> Any:
        """Turns ids into text.

        Args:
            token_ids: int, list of int, or a list, array or tensor of rows of them.
            skip_special_tokens: bool. Whether to leave the special tokens out.
            **kwargs: `clean_up_tokenization_spaces`: bool, whether to take out the
                spaces before punctuation; the tokenizer's own setting if left out.

        Returns:
            str, or a list of str for rows.

        Raises:
            ValueError: if an id is negative, as the -100 of labels is.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.decode([0, 4, 4, 2], skip_special_tokens=True)
            'aa'
        """
        return super().decode(as_lists(token_ids), skip_special_tokens, **kwargs)

    def batch_decode(
        self, sequences: Any, skip_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """Turns rows of ids into texts.

        Args:
            sequences: a list, array or tensor of rows of ids.
            skip_special_tokens: bool. Whether to leave the special tokens out.
            **kwargs: options of `decode`.

        Returns:
            list of str, one per row.

        Raises:
            ValueError: if an id is negative, as the -100 of labels is.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.batch_decode([[0, 4, 2], [4, 4]], skip_special_tokens=True)
            ['a', 'aa']
        """
        rows = as_lists(sequences)
        return [self.decode(row, skip_special_tokens, **kwargs) for row in rows]

    def convert_ids_to_tokens(self, ids, skip_special_tokens=False):
        """Turns ids into tokens.

        Args:
            ids: int, or a list, array or tensor of ids.
            skip_special_tokens: bool. Whether to leave the special tokens out.

        Returns:
            str for one id, otherwise a list of str; None where there is no such id.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.convert_ids_to_tokens([0, 4, 2])
            ['<s>', 'a', '</s>']
        """
        return super().convert_ids_to_tokens(as_lists(ids), skip_special_tokens)

    def _decode(
        self,
        token_ids,
        skip_special_tokens=False,
        clean_up_tokenization_spaces=None,
        **kwargs,
    ):
        check_ids(token_ids)
        clean = clean_up_tokenization_spaces
        if clean is None:
            clean = self.clean_up_tokenization_spaces
        # The library's own clean-up never runs for byte-level BPE.
        text = self._compat.decode(token_ids, skip_special_tokens, **kwargs)
        return self.clean_up_tokenization(text) if clean else text

    def clean_up_tokenization(self, text: str) -> str:
        """Takes out spaces that stand before punctuation and English endings.

        transformers 5.0 has no such method, and calls it.

        Args:
            text: str, a decoded text.

        Returns:
            str.

        Source: transformers 4.57, `PreTrainedTokenizerBase.clean_up_tokenization`.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.clean_up_tokenization("It is n't mine .")
            "It isn't mine."
        """
        for spaced, cleaned in CLEANED:
            text = text.replace(spaced, cleaned)
        return text

    def _library_decode(self, token_ids, skip_special_tokens, **kwargs):
        return super()._decode(token_ids, skip_special_tokens, False, **kwargs)


def check_ids(token_ids):
    ids = [token_ids] if isinstance(token_ids, int) else token_ids
    lowest = min(ids, default=0)
    if lowest < 0:
        raise ValueError(
            f"`token_ids` must not be negative, got {lowest}. "
            "Put the pad token's id in place of a label's -100 before decoding."
        )
