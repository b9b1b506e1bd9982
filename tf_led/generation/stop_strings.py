"""Stopping at a text rather than at a token."""

import numpy as np


class StopStrings:
    """Stops a sequence whose newest token completes one of some strings.

    The string may begin and end in the middle of a token. The decoder prompt counts as
    text too, but a string that lies before the newest token stops nothing.

    Args:
        stop_strings: str, or list of str.
        tokenizer: a tokenizer of transformers.

    Raises:
        ValueError: if there is no stop string, or one that is empty or no str.

    Source: transformers 5.23, `StopStringCriteria`.

    Example:
        >>> import numpy as np
        >>> from tf_led.generation.stop_strings import StopStrings
        >>> class Letters:
        ...     def convert_ids_to_tokens(self, token_id):
        ...         return "abcdefgh"[token_id]
        ...     def convert_tokens_to_string(self, tokens):
        ...         return "".join(tokens)
        ...     def __call__(self, text, add_special_tokens):
        ...         return {"input_ids": ["abcdefgh".index(letter) for letter in text]}
        >>> stops = StopStrings("bad", Letters())
        >>> stops(np.array([[1, 0, 3], [0, 1, 0]])).tolist()
        [True, False]
    """

    def __init__(self, stop_strings, tokenizer):
        given = stop_strings
        strings = [given] if isinstance(given, str) else list(given)
        if not strings or not all(isinstance(text, str) and text for text in strings):
            raise ValueError(
                "`stop_strings` must be a non-empty str or a list of such, got "
                f"{given!r}."
            )
        self._stops = [text.encode() for text in strings]
        self._pieces = TokenBytes(tokenizer)

    def __call__(self, input_ids, scores=None):
        """Tells which sequences have just completed a stop string.

        Args:
            input_ids: int[X, length].
            scores: not used.

        Returns:
            bool[X], NumPy.
        """
        return np.array([self._has_stopped(row) for row in np.asarray(input_ids)], bool)

    def _has_stopped(self, row):
        longest = max(len(stop) for stop in self._stops)
        newest, before = self._pieces[int(row[-1])], b""
        for token_id in row[-2::-1]:
            if len(before) >= longest:
                break
            before = self._pieces[int(token_id)] + before
        text, start = before + newest, len(before)
        return any(
            stop in text[max(0, start + 1 - len(stop)) :] for stop in self._stops
        )


class TokenBytes(dict):
    """The bytes that each token adds to a decoded text, worked out when first asked.

    Args:
        tokenizer: a tokenizer of transformers.
    """

    # Tokenizers drop or add spaces at the start of a text; not after a known prefix.
    _PREFIX = "abcdef"

    def __init__(self, tokenizer):
        super().__init__()
        self._tokenizer = tokenizer
        base = tokenizer(self._PREFIX, add_special_tokens=False)["input_ids"]
        self._base = [tokenizer.convert_ids_to_tokens(token_id) for token_id in base]
        decoder = getattr(
            getattr(tokenizer, "backend_tokenizer", None), "decoder", None
        )
        is_byte_level = type(decoder).__name__ == "ByteLevel"
        self._byte_of = byte_alphabet() if is_byte_level else {}

    def __missing__(self, token_id):
        token = self._tokenizer.convert_ids_to_tokens(token_id)
        if token is None:  # The model's vocabulary may be larger than the tokenizer's.
            piece = b""
        elif self._byte_of and all(letter in self._byte_of for letter in token):
            # A token may hold part of a character, which is no text by itself.
            piece = bytes(self._byte_of[letter] for letter in token)
        else:
            text = self._tokenizer.convert_tokens_to_string([*self._base, token])
            piece = text[text.index(self._PREFIX) + len(self._PREFIX) :].encode()
        self[token_id] = piece
        return piece


def byte_alphabet():
    """Returns which byte each of the 256 letters of byte-level BPE stands for.

    Printable bytes stand for themselves, the others follow from code point 256 on.

    Source: GPT-2's byte-level BPE.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + rank): byte for rank, byte in enumerate(others)}
