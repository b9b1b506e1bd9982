"""From text to ids: the calls of the tokenizer, and the checks of their arguments."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from tokenizers import pre_tokenizers, processors

from tf_led.tokenization.batch_encoding import LEDBatchEncoding, tensor_kind
from tf_led.tokenization.padding import check_at_least, check_side
from tf_led.utils.annotations import Text

# The positional order of a call after the texts, and of `encode`, as in transformers.
CALL_ORDER = (
    "add_special_tokens",
    "padding",
    "truncation",
    "max_length",
    "stride",
    "is_split_into_words",
    "pad_to_multiple_of",
    "padding_side",
    "return_tensors",
    "return_token_type_ids",
    "return_attention_mask",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "return_offsets_mapping",
    "return_length",
    "verbose",
)
ENCODE_ORDER = (*CALL_ORDER[:5], "padding_side", "return_tensors")

# What a call hands on to the encoder; anything else is a mistake.
KNOWN = {
    *CALL_ORDER,
    "padding_strategy",
    "truncation_strategy",
    "split_special_tokens",
    "sanitize_control_tokens",
}


def name_arguments(order, args, kwargs):
    """Puts positional options among the named ones."""
    if len(args) > len(order):
        raise TypeError(f"Only {len(order)} options have a position, got {len(args)}.")
    named = dict(zip(order, args, strict=False))
    twice = sorted(named.keys() & kwargs.keys())
    if twice:
        raise TypeError(f"{', '.join(twice)}: given by position and by name.")
    return {**named, **kwargs}


def check_options(options):
    """Raises TypeError for unknown options and ValueError for values out of range."""
    unknown = sorted(options.keys() - KNOWN)
    if unknown:
        raise TypeError(f"The tokenizer has no option {', '.join(unknown)}.")
    check_side(options.get("padding_side"))
    check_at_least("stride", options.get("stride"), 0)


class Ids(list):
    """A list of ids in the place of a text."""


def mark_ids(row):
    """Marks a list of ids, or those in a pair, as Ids; anything else stays."""
    if not isinstance(row, (list, tuple)):
        return row
    if row and all(isinstance(token_id, Integral) for token_id in row):
        return Ids(row)
    return tuple(mark_ids(text) for text in row)


def as_rows(text, text_pair, is_split):
    """Reads texts as rows.

    Args:
        text: a text, or a list of texts or of pairs of texts. A text is a str, or a
            list of str where the texts are split into words.
        text_pair: the second text, or a list of them; None without.
        is_split: bool. Whether the texts are split into words.

    Returns:
        (rows, is_batch): list of (first text, second text or None), and whether there
        was a list of texts.
    """
    is_batch = isinstance(text, (list, tuple)) and not is_text(text, is_split)
    if not is_batch:
        return [check_row("`text`", (text, text_pair), is_split)], False
    if not text:
        raise ValueError("`text` is an empty list: there is nothing to encode.")
    if text_pair is None:
        return [read_row(i, row, is_split) for i, row in enumerate(text)], True
    check_pairs(text, text_pair)
    rows = enumerate(zip(text, text_pair, strict=True))
    return [check_row(f"`text[{i}]`", row, is_split) for i, row in rows], True


def is_text(text, is_split):
    if isinstance(text, Ids):
        return True
    if is_split:
        is_list = isinstance(text, (list, tuple))
        return is_list and all(isinstance(word, str) for word in text)
    return isinstance(text, str)


def read_row(index, row, is_split):
    is_pair = isinstance(row, (list, tuple)) and len(row) == 2
    if not is_text(row, is_split) and is_pair:
        return check_row(f"`text[{index}]`", tuple(row), is_split)
    return check_row(f"`text[{index}]`", (row, None), is_split)


def check_row(name, row, is_split):
    for text in row if row[1] is not None else row[:1]:
        if not is_text(text, is_split):
            wanted = "a list of words (str)" if is_split else "a str"
            raise ValueError(
                f"{name} must be {wanted}, or a list of them, got {text!r:.60}."
            )
    return row


def check_pairs(text, text_pair):
    if not isinstance(text_pair, (list, tuple)):
        kind = type(text_pair).__name__
        raise TypeError(f"`text_pair` must be a list where `text` is one, not {kind}.")
    if len(text) != len(text_pair):
        raise ValueError(
            f"`text` has {len(text)} texts and `text_pair` {len(text_pair)}. "
            "Give each text one."
        )


class EncodingMixin:
    """Calls, `encode` and `tokenize`, with the options that version 5 lost."""

    def _encode_plus(
        self,
        text,
        text_pair=None,
        is_split_into_words=False,
        return_tensors=None,
        add_prefix_space=None,
        **options,
    ):
        kind = tensor_kind(return_tensors)
        options.pop("pad_to_max_length", None)  # has become `padding_strategy`
        check_options(options)
        split = is_split_into_words
        compat = self._compat
        rows, is_batch = as_rows(text, compat.read_pair(text_pair), split)
        with self._prefix_space(compat.wants_prefix_space(add_prefix_space, split)):
            encoded = compat.encode_rows(rows, is_batch, split, options)
        fields = encoded.data
        if not is_batch and kind is None:
            fields = compat.single_row(fields)
        return LEDBatchEncoding(fields, encoded.encodings, kind)

    def _library_rows(self, rows, split, options):
        """Has the Rust tokenizer encode rows, pairs of texts or a text and None."""
        inputs = [text if pair is None else (text, pair) for text, pair in rows]
        if not options.get("return_overflowing_tokens"):
            options = {
                **options,
                "stride": 0,
            }  # Rust checks it even if unused
        try:
            return super()._encode_plus(inputs, is_split_into_words=split, **options)
        except BaseException as error:
            if not is_rust_error(error):
                raise
            raise ValueError(impossible_truncation(error, **options)) from None

    @contextmanager
    def _prefix_space(self, wanted):
        """Has the Rust tokenizer put a space before texts, or not, for a while."""
        if wanted == self.add_prefix_space:
            yield
            return
        rust = self._tokenizer
        kept = rust.pre_tokenizer, rust.post_processor
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=wanted)
        rust.post_processor = self._post_processor(wanted)
        try:
            yield
        finally:
            rust.pre_tokenizer, rust.post_processor = kept

    def _post_processor(self, add_prefix_space):
        return processors.RobertaProcessing(
            (self.sep_token, self.sep_token_id),
            (self.cls_token, self.cls_token_id),
            self.trim_offsets,
            add_prefix_space,
        )

    def tokenize(
        self,
        text: Text,
        pair: Text | None = None,
        add_special_tokens: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Splits a text into tokens.

        Args:
            text: str, or list of str with `is_split_into_words=True`.
            pair: a second text, if there is one.
            add_special_tokens: bool. Whether to put the special tokens around.
            **kwargs: options of `encode_plus`.

        Returns:
            list of str.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.tokenize("aa")
            ['a', 'a']
        """
        encoded = self.encode_plus(text, pair, add_special_tokens, **kwargs)
        return self._compat.tokens(encoded)

    def encode(self, text, text_pair=None, *args, **kwargs):
        """Turns a text into ids.

        Args:
            text: what `encode_plus` takes.
            text_pair: a second text, if there is one.
            *args: `add_special_tokens`, `padding`, `truncation`, `max_length`,
                `stride`, `padding_side` and `return_tensors`, in this order.
            **kwargs: options of `encode_plus`.

        Returns:
            list of int, or [1, S] of the kind that `return_tensors` names.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.encode("aa")
            [0, 4, 4, 2]
        """
        kwargs = name_arguments(ENCODE_ORDER, args, kwargs)
        return self.encode_plus(text, text_pair, **kwargs)["input_ids"]

    def encode_plus(
        self,
        text: Text,
        text_pair: Text | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> LEDBatchEncoding:
        """Turns one text into model inputs.

        Args:
            text: str, or list of str with `is_split_into_words=True`. LEDTokenizer
                takes a list of ids, or of tokens, too.
            text_pair: a second text, if there is one.
            *args: options in the order of a call, `add_special_tokens` the first.
            **kwargs: options of a call: `padding`, `truncation`, `max_length`,
                `return_tensors` and so on.

        Returns:
            BatchEncoding.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.encode_plus("aa", max_length=3, truncation=True)["input_ids"]
            [0, 4, 2]
        """
        return self(text, text_pair, **name_arguments(CALL_ORDER, args, kwargs))

    def batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], *args: Any, **kwargs: Any
    ) -> LEDBatchEncoding:
        """Turns texts, or pairs of texts, into model inputs.

        Args:
            batch_text_or_text_pairs: list of str, or of pairs of str.
            *args: options in the order of a call, `add_special_tokens` the first.
            **kwargs: options of a call: `padding`, `truncation`, `max_length`,
                `return_tensors` and so on.

        Returns:
            BatchEncoding.

        Raises:
            TypeError: if it is one text, not a list.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> tokenizer.batch_encode_plus(["aa", "a"], padding=True)["input_ids"]
            [[0, 4, 4, 2], [0, 4, 2, 1]]
        """
        if not isinstance(batch_text_or_text_pairs, (list, tuple)):
            kind = type(batch_text_or_text_pairs).__name__
            raise TypeError(f"`batch_text_or_text_pairs` must be a list, not {kind}.")
        return self(
            batch_text_or_text_pairs, **name_arguments(CALL_ORDER, args, kwargs)
        )

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """Encodes targets within a `with` block: for LED, just as it encodes inputs.

        Yields:
            None.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> with tokenizer.as_target_tokenizer():
            ...     tokenizer("a")["input_ids"]
            [0, 4, 2]
        """
        yield

    def prepare_seq2seq_batch(
        self,
        src_texts: Sequence[str],
        tgt_texts: Sequence[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: bool | str = "longest",
        return_tensors: str | None = None,
        truncation: bool | str = True,
        **kwargs: Any,
    ) -> LEDBatchEncoding:
        """Encodes documents and, as `labels`, their summaries.

        Args:
            src_texts: list of str. The documents.
            tgt_texts: list of str. The summaries, if there are any.
            max_length: int. The length to cut documents to; the model's if None.
            max_target_length: int. The same for the summaries; `max_length` if None.
            padding: as in a call of the tokenizer.
            return_tensors: "tf" (int32), "np", "pt" or None for lists.
            truncation: as in a call of the tokenizer.
            **kwargs: other options of a call.

        Returns:
            BatchEncoding: `input_ids`, `attention_mask` and, with summaries, `labels`.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> batch = tokenizer.prepare_seq2seq_batch(["aaa"], ["a"])
            >>> batch["labels"]
            [[0, 4, 2]]
        """
        options = {"padding": padding, "truncation": truncation, **kwargs}
        options["return_tensors"] = return_tensors
        inputs = self(src_texts, max_length=max_length, **options)
        if tgt_texts is not None:
            length = max_target_length or max_length
            targets = self(text_target=tgt_texts, max_length=length, **options)
            inputs["labels"] = targets["input_ids"]
        return inputs


def is_rust_error(error):
    """Whether an error is a failure or a panic within Rust: they have no other type."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def impossible_truncation(error, truncation_strategy, max_length, stride, **_):
    given = f"{truncation_strategy.value!r} with `max_length`={max_length}"
    return f"`truncation`={given} and `stride`={stride} cannot be done. {error}."
