"""Encoding as LEDTokenizerFast of transformers 4.57 did it, and refusals it lacked."""

from transformers.tokenization_utils_base import TruncationStrategy


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
