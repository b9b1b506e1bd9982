"""How LEDTokenizer answers: as the Python tokenizer of transformers 4.57 did.

The ids of a text are the Rust tokenizer's all the same.
"""

from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils import PaddingStrategy

from tf_led.tokenization.encoding import Ids
from tf_led.tokenization.prepare import LONGEST, check_token_types

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


class SlowCompat:
    """Rules for special tokens, truncation, overflow and decoding.

    Args:
        tokenizer: LEDTokenizer.
    """

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def read_pair(self, text_pair):
        """Gives the second text; an empty one is a text."""
        return text_pair

    def wants_prefix_space(self, add_prefix_space, is_split):
        """Whether a space stands before each text: bool."""
        if add_prefix_space is None:
            return self.tokenizer.add_prefix_space or is_split
        return bool(add_prefix_space)

    def single_row(self, fields):
        """Takes the fields of one text out of the batch that it was encoded in."""
        if "overflow_to_sample_mapping" in fields:
            return fields
        return {key: rows[0] for key, rows in fields.items()}

    def tokens(self, encoded):
        """Lists the tokens of an encoding, str."""
        return self.tokenizer.convert_ids_to_tokens(encoded["input_ids"])

    def encode_rows(self, rows, is_batch, split, options):
        """Encodes rows, (text, text or None) each.

        Args:
            rows: list of pairs; a text may be Ids.
            is_batch: bool, whether the caller gave a list.
            split: bool, whether the texts are split into words.
            options: dict, those of the library's `_encode_plus`.

        Returns:
            BatchEncoding.
        """
        check_token_types(
            options.get("return_token_type_ids"), options["add_special_tokens"]
        )
        if self._needs_python(rows, options):
            return self._encode_in_python(rows, is_batch, split, options)
        try:
            encoded = self.tokenizer._library_rows(rows, split, options)
        except ValueError:  # a truncation that cannot be done
            if options["return_offsets_mapping"]:
                raise
            return self._encode_in_python(rows, is_batch, split, options)
        if cuts_pairs_evenly(rows, encoded, options):
            return self._encode_in_python(rows, is_batch, split, options)
        if "length" in encoded and is_batch:  # of a batch, the lengths before padding
            encoded["length"] = [sum(e.attention_mask) for e in encoded.encodings]
        return encoded

    def _needs_python(self, rows, options):
        if any(isinstance(text, Ids) for row in rows for text in row):
            return True
        if options["return_offsets_mapping"]:  # only the Rust tokenizer has them
            return False
        if options["return_overflowing_tokens"]:
            return True
        if options["truncation_strategy"] == TruncationStrategy.DO_NOT_TRUNCATE:
            return False
        has_pair = any(second is not None for _, second in rows)
        added = self.tokenizer.num_special_tokens_to_add(has_pair)
        return options["max_length"] <= added * options["add_special_tokens"]

    def _encode_in_python(self, rows, is_batch, split, options):
        """Encodes without special tokens, then prepares and pads in Python."""
        columns = {}
        for first, second in self._plain_ids(rows, split, options):
            prepared = self.tokenizer.prepare_for_model(
                first,
                second,
                truncation=options["truncation_strategy"],
                return_attention_mask=False,
                return_offsets_mapping=options["return_offsets_mapping"],
                **{name: options[name] for name in PREPARED},
            )
            for key, value in prepared.items():
                columns.setdefault(key, []).append(value)
        padded = self.tokenizer.pad(
            columns,
            padding=options["padding_strategy"],
            **{name: options[name] for name in PADDED},
        )
        if "length" in padded and not is_batch:  # of one text, the length with padding
            padded["length"] = [len(padded["input_ids"][0])]
        return padded

    def _plain_ids(self, rows, split, options):
        """The ids of each row's texts, without special tokens: (first, second)."""
        texts = [(text, None) for row in rows for text in row if not is_encoded(text)]
        plain = PLAIN | {"split_special_tokens": options.get("split_special_tokens")}
        encoded = ()
        if texts:
            encoded = self.tokenizer._library_rows(texts, split, plain)["input_ids"]
        ids = iter(encoded)
        return [
            [text if is_encoded(text) else next(ids) for text in row] for row in rows
        ]

    def decode(
        self,
        token_ids,
        skip_special_tokens,
        spaces_between_special_tokens=True,
        **kwargs,
    ):
        """Decodes ids to a str, with a space on both sides of added tokens."""
        space = " " if spaces_between_special_tokens else ""
        runs = self._split_at_added(token_ids, skip_special_tokens)
        texts = [self._decode_run(run) for run in runs]
        return space.join(text for text in texts if text)

    def _split_at_added(self, token_ids, skip_special_tokens):
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        skipped = self.skipped_ids() if skip_special_tokens else ()
        spaced = self.spaced_ids()
        runs = [[]]
        for token_id in ids:
            if token_id in spaced and token_id not in skipped:
                runs += [[token_id], []]
            elif token_id not in skipped:
                runs[-1].append(token_id)
        return runs

    def skipped_ids(self):
        """The ids that `skip_special_tokens` leaves out: set of int."""
        return set(self.tokenizer.all_special_ids)

    def spaced_ids(self):
        """The ids of added tokens, which are decoded with spaces around: set of int."""
        extra = {*self.tokenizer.additional_special_tokens}
        named = {*self.tokenizer.all_special_tokens} - extra
        size = self.tokenizer.vocab_size
        return {
            token_id
            for token, token_id in self.tokenizer.added_tokens_encoder.items()
            if token not in named and (token not in extra or token_id >= size)
        }

    def _decode_run(self, token_ids):
        tokenizer = self.tokenizer
        if tokenizer.errors == "replace":  # as the Rust decoder does
            return tokenizer.backend_tokenizer.decode(
                token_ids, skip_special_tokens=False
            )
        tokens = tokenizer.convert_ids_to_tokens(token_ids)
        return tokenizer.convert_tokens_to_string(tokens)


def is_encoded(text):
    return text is None or isinstance(text, Ids)


def cuts_pairs_evenly(rows, encoded, options):
    """Whether "longest_first" cut a pair: the odd id goes to the other text in Rust."""
    if options["truncation_strategy"] != LONGEST or options["return_offsets_mapping"]:
        return False
    return any(
        second is not None and encoding.overflowing
        for (_, second), encoding in zip(rows, encoded.encodings, strict=True)
    )
