"""Ids and tokens in the place of texts, which the Python LEDTokenizer took."""

from .options import CALL_ORDER, name_arguments
from .rows import Ids, mark_ids


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
