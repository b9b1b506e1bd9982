"""LEDTokenizer and LEDTokenizerFast: the Rust tokenizer with all that 4.57 had."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tokenizers import AddedToken
from transformers.convert_slow_tokenizer import bytes_to_unicode

from tf_led.tokenization.base import TokenizerBase
from tf_led.tokenization.batch_encoding import LEDBatchEncoding
from tf_led.tokenization.encoding import CALL_ORDER, Ids, mark_ids, name_arguments
from tf_led.tokenization.fast_compat import FastCompat
from tf_led.tokenization.slow_compat import SlowCompat
from tf_led.utils.annotations import PathLike, Text

__all__ = ["LEDTokenizer", "LEDTokenizerFast"]


class LEDTokenizer(TokenizerBase):
    """A byte-level BPE tokenizer whose answers are those of 4.57's LEDTokenizer.

    The ids come from the Rust tokenizer of transformers 5, so offsets, `word_ids()` and
    so on work here too; the Python tokenizer of 4.57 raised. Otherwise, where its
    answers differed from LEDTokenizerFast's, these are its own:

    - `return_overflowing_tokens` adds `overflowing_tokens` and `num_truncated_tokens`
      to each row; LEDTokenizerFast makes rows of what overflows. Such rows, and pairs
      that "longest_first" cut, have no `word_ids()` and so on. With
      `return_offsets_mapping` the rows are LEDTokenizerFast's.
    - "longest_first" leaves a pair's odd id to the first text; LEDTokenizerFast leaves
      it to the longer one, and to the second where both are equally long.
    - A truncation that cannot be done is logged, and the text stays as long as it is;
      LEDTokenizerFast raises ValueError.
    - `encode` and `encode_plus` take ids and tokens, an empty second text counts as
      one, words split by the caller get a space each, `return_length` counts a batch's
      rows before padding, added tokens are decoded with spaces around them, `errors`
      applies, special tokens added become `additional_special_tokens`.

    With `add_prefix_space=True`, though, every stretch of text between added tokens
    gets its space, as in LEDTokenizerFast, not the first alone.

    Args:
        vocab_file: path of vocab.json, or the vocabulary itself, a dict of int by str.
        merges_file: path of merges.txt, or the merges themselves, a list of pairs.
        errors: "replace", "ignore" or "strict": what decoding does with invalid UTF-8.
        bos_token, eos_token: str or AddedToken. Begin and end of a sequence.
        sep_token, cls_token: str or AddedToken. What a text is put between.
        unk_token: str or AddedToken. Stands for what is not in the vocabulary.
        pad_token: str or AddedToken. Fills rows up.
        mask_token: str or AddedToken. A str absorbs the space before it.
        add_prefix_space: bool. Whether a text starts as if after a space.
        trim_offsets: bool. Whether offsets leave out the space before a word.
        vocab, merges: the first two arguments by their names in transformers 5.
        **kwargs: what transformers' tokenizers share: `model_max_length`,
            `padding_side`, `truncation_side`, `additional_special_tokens` and so on.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if vocabulary or merges are missing, or cannot be read.

    Source: transformers 4.57 `models/led/tokenization_led.py`; the ids, transformers 5
    `models/roberta/tokenization_roberta.py`.

    Example:
        >>> from tf_led import LEDTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizer(vocab | {"ab": 6, "<mask>": 7}, [("a", "b")])
        >>> tokenizer("abba")["input_ids"]
        [0, 6, 5, 4, 2]
        >>> rows = [{"input_ids": [0, 6, 2], "global_attention_mask": [1, 0, 0]}]
        >>> tokenizer.pad(rows, pad_to_multiple_of=4)["global_attention_mask"]
        [[1, 0, 0, -1]]
    """

    _compat_class = SlowCompat

    def __init__(
        self,
        vocab_file: dict[str, int] | PathLike | None = None,
        merges_file: Any = None,
        errors: str = "replace",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        vocab: Any = None,
        merges: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file if vocab is None else vocab,
            merges_file if merges is None else merges,
            kwargs.pop("tokenizer_file", None),
            errors,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )

    def encode_plus(
        self,
        text: Text,
        text_pair: Text | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> LEDBatchEncoding:
        """Turns one text into model inputs; ids and tokens count as texts here.

        Args:
            text: str, list of ids (int), list of tokens (str), or list of words (str)
                with `is_split_into_words=True`.
            text_pair: a second text, if there is one.
            *args: options in the order of a call, `add_special_tokens` the first.
            **kwargs: options of a call: `padding`, `truncation`, `max_length`,
                `return_tensors` and so on.

        Returns:
            BatchEncoding.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.encode_plus([4, 4])["input_ids"]
            [0, 4, 4, 2]
        """
        options = name_arguments(CALL_ORDER, args, kwargs)
        if not options.get("is_split_into_words"):
            text, text_pair = self._as_ids(text), self._as_ids(text_pair)
        return self(text, text_pair, **options)

    def batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], *args: Any, **kwargs: Any
    ) -> LEDBatchEncoding:
        """Turns texts, or pairs of texts, into model inputs; ids count as texts here.

        Args:
            batch_text_or_text_pairs: list of str or of lists of ids, or of pairs.
            *args: options in the order of a call, `add_special_tokens` the first.
            **kwargs: options of a call: `padding`, `truncation`, `max_length`,
                `return_tensors` and so on.

        Returns:
            BatchEncoding.

        Raises:
            TypeError: if it is one text, not a list.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.batch_encode_plus([[4], [4, 4]])["input_ids"]
            [[0, 4, 2], [0, 4, 4, 2]]
        """
        batch = batch_text_or_text_pairs
        if isinstance(batch, (list, tuple)):
            batch = [mark_ids(row) for row in batch]
        return super().batch_encode_plus(batch, *args, **kwargs)

    def _as_ids(self, text):
        """Reads a list of tokens or ids as ids; a str and None stay what they are."""
        if not isinstance(text, (list, tuple)):
            return text
        if text and all(isinstance(token, str) for token in text):
            return Ids(self.convert_tokens_to_ids(text))
        return mark_ids(text)

    @cached_property
    def encoder(self) -> dict[str, int]:
        """Dict of int by token: the vocabulary without what was added to it."""
        return self._tokenizer.get_vocab(with_added_tokens=False)

    @cached_property
    def decoder(self) -> dict[int, str]:
        """Dict of token by int: `encoder` turned round."""
        return {token_id: token for token, token_id in self.encoder.items()}

    @cached_property
    def bpe_ranks(self) -> dict[tuple[str, str], int]:
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

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
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

    def add_tokens(
        self,
        new_tokens: str | AddedToken | Sequence[str | AddedToken],
        special_tokens: bool = False,
    ) -> int:
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

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Joins tokens to text; invalid UTF-8 is treated as `errors` says.

        Args:
            tokens: list of str.

        Returns:
            str.

        Example:
            >>> from tf_led import LEDTokenizer
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizer(vocab, [])
            >>> tokenizer.convert_tokens_to_string(["a", "a"])
            'aa'
        """
        if self.errors == "replace":
            return super().convert_tokens_to_string(tokens)
        data = bytes(self.byte_decoder[character] for character in "".join(tokens))
        return data.decode("utf-8", errors=self.errors)


def as_special(token):
    if not isinstance(token, str):
        return token
    return AddedToken(token, normalized=False, special=True)


class LEDTokenizerFast(TokenizerBase):
    """A byte-level BPE tokenizer whose answers are those of 4.57's LEDTokenizerFast.

    Ids, offsets and decoded text are the Rust tokenizer's of transformers 5. Back again
    are `prepare_for_model`, `build_inputs_with_special_tokens`, `save_vocabulary` and
    so on, `return_tensors="tf"`, and `global_attention_mask` in `pad`. LEDTokenizer
    lists the differences of the two. A `max_length` below the number of special tokens
    raises ValueError; 4.57 did not truncate at all.

    Args:
        vocab_file: path of vocab.json, or the vocabulary itself, a dict of int by str.
        merges_file: path of merges.txt, or the merges themselves, a list of pairs.
        tokenizer_file: path of tokenizer.json, in place of the two.
        errors: only kept; the Rust tokenizer always decodes as "replace" says.
        bos_token, eos_token: str or AddedToken. Begin and end of a sequence.
        sep_token, cls_token: str or AddedToken. What a text is put between.
        unk_token: str or AddedToken. Stands for what is not in the vocabulary.
        pad_token: str or AddedToken. Fills rows up.
        mask_token: str or AddedToken. A str absorbs the space before it.
        add_prefix_space: bool. Whether a text starts as if after a space.
        trim_offsets: bool. Whether offsets leave out the space before a word.
        vocab, merges: the first two arguments by their names in transformers 5.
        **kwargs: what transformers' tokenizers share: `model_max_length`,
            `padding_side`, `truncation_side`, `additional_special_tokens` and so on.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if vocabulary or merges are missing, or cannot be read.

    Source: transformers 4.57 `models/led/tokenization_led_fast.py`; the ids,
    transformers 5 `models/roberta/tokenization_roberta.py`.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> tokenizer = LEDTokenizerFast(vocab | {"ab": 6, "<mask>": 7}, [("a", "b")])
        >>> inputs = tokenizer(["abba", "a"], padding=True, return_tensors="tf")
        >>> inputs["input_ids"].numpy().tolist()
        [[0, 6, 5, 4, 2], [0, 4, 2, 1, 1]]
    """

    _ENDS = ("bos_token_id", "eos_token_id")
    _compat_class = FastCompat
    slow_tokenizer_class = LEDTokenizer

    def __init__(
        self,
        vocab_file: dict[str, int] | PathLike | None = None,
        merges_file: Any = None,
        tokenizer_file: PathLike | None = None,
        errors: str = "replace",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        vocab: Any = None,
        merges: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vocab_file if vocab is None else vocab,
            merges_file if merges is None else merges,
            tokenizer_file,
            errors,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )
