"""From text to ids: what every call of the tokenizer goes through."""

from contextlib import contextmanager

from tokenizers import pre_tokenizers, processors

from .batch_encoding import LEDBatchEncoding, tensor_kind
from .options import CALL_ORDER, ENCODE_ORDER, check_options, name_arguments
from .rows import as_rows


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
        check_options(options)
        split = is_split_into_words
        rows, is_batch = as_rows(text, self._pair_or_none(text_pair), split)
        with self._prefix_space(self._prefix_wanted(add_prefix_space, split)):
            encoded = self._encode_rows(rows, is_batch, split, options)
        fields = encoded.data
        if not is_batch and kind is None:
            fields = self._one_row(fields)
        return LEDBatchEncoding(fields, encoded.encodings, kind)

    def _library_rows(self, rows, split, options):
        """Has the Rust tokenizer encode rows, pairs of texts or a text and None."""
        inputs = [text if pair is None else (text, pair) for text, pair in rows]
        if not options.get("return_overflowing_tokens"):
            options = {**options, "stride": 0}  # Rust refuses some, needed or not
        try:
            return super()._encode_plus(inputs, is_split_into_words=split, **options)
        except BaseException as error:
            if not is_rust_error(error):
                raise
            raise ValueError(refusal(error, **options)) from None

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

    def tokenize(self, text, pair=None, add_special_tokens=False, **kwargs):
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
        return self._tokens(self.encode_plus(text, pair, add_special_tokens, **kwargs))

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

    def encode_plus(self, text, text_pair=None, *args, **kwargs):
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

    def batch_encode_plus(self, batch_text_or_text_pairs, *args, **kwargs):
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
        options = name_arguments(CALL_ORDER, args, kwargs)
        return self(batch_text_or_text_pairs, **options)


def is_rust_error(error):
    """Whether an error is a failure or a panic within Rust: they have no other type."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def refusal(error, truncation_strategy, max_length, stride, **_):
    return (
        f"`truncation`={truncation_strategy.value!r} with `max_length`={max_length} "
        f"and `stride`={stride} cannot be done. {error}."
    )
