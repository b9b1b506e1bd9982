"""From ids back to text, as in transformers 4.57."""

from tf_led.tokenization.batch_encoding import as_lists


class DecodingMixin:
    """`decode` and `batch_decode`, TensorFlow tensors and their options included."""

    def decode(self, token_ids, skip_special_tokens=False, **kwargs):
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

    def batch_decode(self, sequences, skip_special_tokens=False, **kwargs):
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
        # The library's own cleaning leaves byte-level BPE out, whatever is asked.
        text = self._join(token_ids, skip_special_tokens, **kwargs)
        return self.clean_up_tokenization(text) if clean else text

    def _join(self, token_ids, skip_special_tokens, **kwargs):
        return super()._decode(token_ids, skip_special_tokens, False, **kwargs)


def check_ids(token_ids):
    ids = [token_ids] if isinstance(token_ids, int) else token_ids
    lowest = min(ids, default=0)
    if lowest < 0:
        raise ValueError(
            f"`token_ids` must not be negative, got {lowest}. "
            "Put the pad token's id in place of a label's -100 before decoding."
        )


class PythonDecodingMixin:
    """Decoding as the Python tokenizer did it: added tokens apart, `errors` heeded."""

    def _join(
        self,
        token_ids,
        skip_special_tokens,
        spaces_between_special_tokens=True,
        **kwargs,
    ):
        space = " " if spaces_between_special_tokens else ""
        stretches = self._stretches(token_ids, skip_special_tokens)
        texts = [self._decode_stretch(stretch) for stretch in stretches]
        return space.join(text for text in texts if text)

    def _stretches(self, token_ids, skip_special_tokens):
        """Cuts ids at the tokens that were added to the vocabulary of the model."""
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        apart = self._ids_apart()
        stretches = [[]]
        for token_id in ids:
            if token_id in apart and token_id not in skipped:
                stretches += [[token_id], []]
            elif token_id not in skipped:
                stretches[-1].append(token_id)
        return stretches

    def _ids_apart(self):
        named = {*self.all_special_tokens} - {*self.additional_special_tokens}
        added = self.added_tokens_encoder
        own = self.vocab_size
        extra = {*self.additional_special_tokens}
        return {
            token_id
            for token, token_id in added.items()
            if token not in named and (token not in extra or token_id >= own)
        }

    def _decode_stretch(self, token_ids):
        if self.errors == "replace":  # as the Rust decoder does
            return self._tokenizer.decode(token_ids, skip_special_tokens=False)
        return self.convert_tokens_to_string(self.convert_ids_to_tokens(token_ids))

    def convert_tokens_to_string(self, tokens):
        """Joins tokens to text; bytes that are no UTF-8 are treated as `errors` says.

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
