"""How LEDTokenizerFast answers: as the Rust tokenizer does."""

from transformers.tokenization_utils_base import TruncationStrategy


class FastCompat:
    """Rules for special tokens, truncation, overflow and decoding.

    The methods are those of `tf_led.tokenization.slow_compat.SlowCompat`.

    Args:
        tokenizer: LEDTokenizerFast.
    """

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def read_pair(self, text_pair):
        """Gives the second text; an empty one counts as none."""
        return text_pair or None

    def wants_prefix_space(self, add_prefix_space, is_split):
        """Whether a space stands before each text: bool."""
        if add_prefix_space is not None:
            return bool(add_prefix_space)
        if is_split and not self.tokenizer.add_prefix_space:
            raise ValueError(
                "`is_split_into_words=True` needs a tokenizer made with "
                "`add_prefix_space=True`; or pass that here too."
            )
        return self.tokenizer.add_prefix_space

    def single_row(self, fields):
        """Takes the fields of one text out of the batch that it was encoded in."""
        if "overflow_to_sample_mapping" in fields:
            return fields
        return {
            key: rows[0] if isinstance(rows[0], list) else rows
            for key, rows in fields.items()
        }

    def tokens(self, encoded):
        """Lists the tokens, str; `<mask>` with the spaces that it includes."""
        return encoded.tokens()

    def encode_rows(self, rows, is_batch, split, options):
        """Encodes rows, (text, text or None) each, to a BatchEncoding."""
        if options["truncation_strategy"] != TruncationStrategy.DO_NOT_TRUNCATE:
            self._check_max_length(rows, options)
        return self.tokenizer._library_rows(rows, split, options)

    def _check_max_length(self, rows, options):
        """Raises where the special tokens alone are longer; Rust ignores that."""
        if not options.get("add_special_tokens", True):
            return
        added = self.tokenizer.num_special_tokens_to_add(
            any(pair is not None for _, pair in rows)
        )
        if options["max_length"] < added:
            raise ValueError(
                f"`max_length` must be at least {added}, the number of special tokens, "
                f"got {options['max_length']}."
            )

    def decode(self, token_ids, skip_special_tokens, **kwargs):
        """Decodes ids to a str."""
        return self.tokenizer._library_decode(token_ids, skip_special_tokens, **kwargs)

    def skipped_ids(self):
        """The ids that `skip_special_tokens` leaves out: set of int."""
        added = self.tokenizer.backend_tokenizer.get_added_tokens_decoder()
        return {token_id for token_id, token in added.items() if token.special}

    def spaced_ids(self):
        """The ids that are decoded with spaces around: none."""
        return set()
