"""Where the Python LEDTokenizer of transformers 4.57 differed from the Rust one.

The ids are the Rust tokenizer's all the same.
"""

from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils import PaddingStrategy

from .prepare import check_token_types
from .rows import Ids
from .truncation import LONGEST


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
