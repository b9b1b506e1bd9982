"""Stops that need Python at every token."""

import time

import numpy as np
import tensorflow as tf


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
        >>> from tf_led.generation.stopping import StopStrings
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
    """The bytes that each token adds to a decoded text, worked out at the first use.

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


class PythonStops:
    """Custom stopping criteria, `max_time` and `stop_strings`, as one question.

    Args:
        criteria: callables (input_ids int32[X, length], scores) -> bool or bool[X],
            True where the sequence is finished. `scores` is None, or with
            `output_scores` a tuple of float32[B * K, V], one for each token generated
            so far.
        max_time: seconds from now on, or None.
        keeps_scores: whether criteria get to see the scores.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.stopping import PythonStops
        >>> stops = PythonStops([lambda ids, scores: ids[:, -1] == 7])
        >>> stops(tf.constant([[2, 7, 0], [2, 5, 0]]), 2).numpy().tolist()
        [True, False]
    """

    def __init__(self, criteria=(), *, max_time=None, keeps_scores=False):
        self._criteria = tuple(criteria)
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._scores = () if keeps_scores else None

    def note(self, scores):
        """Remembers scores for the criteria that get to see them.

        Args:
            scores: float32[B, K, V], from which the next tokens are chosen.
        """
        if self._scores is not None:
            self._scores += (tf.reshape(scores, [-1, scores.shape[-1]]),)

    def __call__(self, tokens, length):
        """Calls every criterion.

        Args:
            tokens: int32[X, T], the sequences, of which the first `length` count.
            length: int32[].

        Returns:
            bool[X], True for finished sequences.
        """
        is_late = self._deadline is not None and time.monotonic() > self._deadline
        stopped = np.full(tokens.shape[0], is_late)
        seen = tokens[:, : int(length)]
        for criterion in self._criteria:
            stopped |= self._ask(criterion, seen)
        return tf.constant(stopped)

    def _ask(self, criterion, seen):
        answer = np.asarray(criterion(seen, self._scores))
        if answer.dtype != bool or answer.shape not in ((), seen.shape[:1]):
            raise ValueError(
                f"The stopping criterion {criterion!r} must return a bool or "
                f"bool[{seen.shape[0]}], got {answer.dtype} of shape {answer.shape}."
            )
        return answer


def build_stops(options, *, criteria=(), tokenizer=None):
    """Collects the stops of a call that need Python at every token.

    Args:
        options: GenerationOptions.
        criteria: custom stopping criteria, see `PythonStops`.
        tokenizer: the model's tokenizer; needed for `stop_strings`.

    Returns:
        PythonStops, or None where there is none.

    Raises:
        TypeError: if the criteria are no list of callables, or of transformers.
        ValueError: if there are stop strings but no tokenizer.
    """
    criteria = _checked_criteria(criteria)
    if options.stop_strings is not None:
        if tokenizer is None:
            raise ValueError(
                f"`stop_strings` is {options.stop_strings!r}, which needs the model's "
                "tokenizer: pass it as `tokenizer`."
            )
        criteria.insert(0, StopStrings(options.stop_strings, tokenizer))
    if not criteria and options.max_time is None:
        return None
    return PythonStops(
        criteria, max_time=options.max_time, keeps_scores=options.is_requested("scores")
    )


def _checked_criteria(criteria):
    if not isinstance(criteria, (list, tuple)):
        raise TypeError(
            f"`stopping_criteria` must be a list, got {criteria!r}. Put it in a list."
        )
    for criterion in criteria:
        if not callable(criterion) or isinstance(criterion, type):
            raise TypeError(
                f"`stopping_criteria` holds {criterion!r}, which is no function. Give "
                "callables (input_ids, scores) -> bool."
            )
        if type(criterion).__module__.startswith("transformers."):
            raise TypeError(
                f"`stopping_criteria` holds {type(criterion).__name__} of "
                "transformers, which computes in torch. Set the option it stands for, "
                "such as `max_new_tokens`, `max_time` or `stop_strings`."
            )
    return list(criteria)
