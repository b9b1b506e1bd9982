"""Where the Python LEDTokenizer of transformers 4.57 differed from the Rust one.

The ids are the Rust tokenizer's all the same.
"""

import json
from functools import cached_property

from tokenizers import AddedToken
from transformers.convert_slow_tokenizer import bytes_to_unicode
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils import PaddingStrategy

from tf_led.tokenization.encoding import CALL_ORDER, Ids, mark_ids, name_arguments
from tf_led.tokenization.prepare import LONGEST, check_token_types


class PythonAnswersMixin:
    """Encoding as the Python tokenizer did it: special tokens, cuts, overflow."""

    def _pair_or_none(self, text_pair):
        return text_pair  # an empty second text is a second text

    def _prefix_wanted(self, add_prefix_space, is_split):
        if add_prefix_space is None:
            return self.add_prefix_space or is_split
        return bool(add_prefix_space)

    def _one_row(self, fields):
        if "overflow_to_sample_mapping" in fields:
            return fields
        return {key: rows[0] for key, rows in fields.items()}

    def _tokens(self, encoded):
        return self.convert_ids_to_tokens(encoded["input_ids"])

    def _encode_rows(self, rows, is_batch, split, options):
        check_token_types(
            options.get("return_token_type_ids"), options["add_special_tokens"]
        )
        if self._asks_python(rows, options):
            return self._encode_in_python(rows, is_batch, split, options)
        try:
            encoded = self._library_rows(rows, split, options)
        except ValueError:  # a cut that cannot be made
            if options["return_offsets_mapping"]:
                raise
            return self._encode_in_python(rows, is_batch, split, options)
        if cuts_pairs_evenly(rows, encoded, options):
            return self._encode_in_python(rows, is_batch, split, options)
        if "length" in encoded and is_batch:  # of a batch, the lengths before padding
            encoded["length"] = [sum(e.attention_mask) for e in encoded.encodings]
        return encoded

    def _asks_python(self, rows, options):
        if any(isinstance(text, Ids) for row in rows for text in row):
            return True
        if options["return_offsets_mapping"]:  # only the Rust tokenizer has them
            return False
        if options["return_overflowing_tokens"]:
            return True
        if options["truncation_strategy"] == TruncationStrategy.DO_NOT_TRUNCATE:
            return False
        has_pair = any(second is not None for _, second in rows)
        added = self.num_special_tokens_to_add(has_pair)
        return options["max_length"] <= added * options["add_special_tokens"]

    def _encode_in_python(self, rows, is_batch, split, options):
        """Encodes without special tokens, then prepares and pads in Python."""
        columns = {}
        for first, second in self._plain_ids(rows, split, options):
            prepared = self.prepare_for_model(
                first,
                second,
                truncation=options["truncation_strategy"],
                return_attention_mask=False,
                return_offsets_mapping=options["return_offsets_mapping"],
                **{name: options[name] for name in PREPARED},
            )
            for key, value in prepared.items():
                columns.setdefault(key, []).append(value)
        padded = self.pad(
            columns,
            padding=options["padding_strategy"],
            **{name: options[name] for name in PADDED},
        )
        if "length" in padded and not is_batch:  # of one text, the length with padding
            padded["length"] = [len(padded["input_ids"][0])]
        return padded

    def _plain_ids(self, rows, split, options):
        """The ids of each row's texts, without special tokens: (first, second)."""
        texts = [(text, None) for row in rows for text in row if not is_done(text)]
        plain = PLAIN | {"split_special_tokens": options.get("split_special_tokens")}
        encoded = self._library_rows(texts, split, plain)["input_ids"] if texts else ()
        ids = iter(encoded)
        return [[text if is_done(text) else next(ids) for text in row] for row in rows]


PLAIN = {
    "add_special_tokens": False,
    "padding_strategy": PaddingStrategy.DO_NOT_PAD,
    "truncation_strategy": TruncationStrategy.DO_NOT_TRUNCATE,
    "verbose": False,
}
PREPARED = (
    "add_special_tokens",
    "max_length",
    "stride",
    "return_token_type_ids",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "return_length",
    "verbose",
)
PADDED = ("max_length", "pad_to_multiple_of", "padding_side", "return_attention_mask")


def is_done(text):
    return text is None or isinstance(text, Ids)


def cuts_pairs_evenly(rows, encoded, options):
    """Whether "longest_first" cut a pair: the odd id goes to the other text in Rust."""
    if options["truncation_strategy"] != LONGEST or options["return_offsets_mapping"]:
        return False
    return any(
        second is not None and encoding.overflowing
        for (_, second), encoding in zip(rows, encoded.encodings, strict=True)
    )


class PythonIdsMixin:
    """`encode_plus` and `batch_encode_plus` for texts that are ids already."""

    def encode_plus(self, text, text_pair=None, *args, **kwargs):
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

    def batch_encode_plus(self, batch_text_or_text_pairs, *args, **kwargs):
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


class RustAnswersMixin:
    """Encoding as the Rust tokenizer does it."""

    def _pair_or_none(self, text_pair):
        return text_pair or None  # an empty second text is none

    def _prefix_wanted(self, add_prefix_space, is_split):
        if add_prefix_space is not None:
            return bool(add_prefix_space)
        if is_split and not self.add_prefix_space:
            raise ValueError(
                "`is_split_into_words=True` needs a tokenizer made with "
                "`add_prefix_space=True`; or pass that here too."
            )
        return self.add_prefix_space

    def _one_row(self, fields):
        if "overflow_to_sample_mapping" in fields:
            return fields
        return {
            key: rows[0] if isinstance(rows[0], list) else rows
            for key, rows in fields.items()
        }

    def _tokens(self, encoded):
        return encoded.tokens()  # `<mask>` with the spaces that it took along

    def _encode_rows(self, rows, is_batch, split, options):
        if options["truncation_strategy"] != TruncationStrategy.DO_NOT_TRUNCATE:
            self._check_room(rows, options)
        return self._library_rows(rows, split, options)

    def _check_room(self, rows, options):
        """Refuses a length that has no room for the special tokens; Rust ignores it."""
        if not options.get("add_special_tokens", True):
            return
        added = self.num_special_tokens_to_add(
            any(pair is not None for _, pair in rows)
        )
        if options["max_length"] < added:
            raise ValueError(
                f"`max_length` must be at least {added}, the number of special tokens, "
                f"got {options['max_length']}."
            )
