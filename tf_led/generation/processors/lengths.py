"""Processors that steer how long the result becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tf_led.generation.processors.base import Processor, ban, mark_ids
from tf_led.utils.annotations import Integer
from tf_led.utils.validation import as_ids, check_int, check_positive


@dataclass(frozen=True, eq=False)
class MinLength(Processor):
    """Forbids the end of the sequence while it is shorter than `min_length`.

    Args:
        min_length: int or int32[], at least 0; decoder tokens, prompt included.
        eos_token_id: int or sequence of int, the tokens that end a sequence.

    Raises:
        ValueError: if `min_length` is negative or no integer.

    Source: transformers' `MinLengthLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import MinLength
        >>> MinLength(3, 1)([[0.5, 0.7]], [[0, 0, 0]], 2).numpy().tolist()
        [[0.5, -inf]]
    """

    min_length: Integer
    eos_token_id: int | Sequence[int] | None

    def __post_init__(self):
        check_int("min_length", self.min_length, 0, "Use 0 for no minimum.")
        object.__setattr__(
            self, "eos_token_id", as_ids("eos_token_id", self.eos_token_id)
        )

    def process(self, scores, tokens, length):
        ending = mark_ids(self.eos_token_id, scores)
        return ban(scores, (length < self.min_length) & ending)


@dataclass(frozen=True, eq=False)
class MinNewTokens(Processor):
    """Forbids the end of the sequence until `min_new_tokens` follow the prompt.

    Args:
        prompt_len: int or int32[], the decoder tokens before the first new one.
        min_new_tokens: int or int32[], at least 0.
        eos_token_id: int or sequence of int, the tokens that end a sequence.

    Raises:
        ValueError: if a number is negative or no integer.

    Source: transformers' `MinNewTokensLengthLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import MinNewTokens
        >>> MinNewTokens(2, 1, 1)([[0.5, 0.7]], [[0, 0, 0]], 2).numpy().tolist()
        [[0.5, -inf]]
    """

    prompt_len: int
    min_new_tokens: Integer
    eos_token_id: int | Sequence[int] | None

    def __post_init__(self):
        check_int("prompt_len", self.prompt_len, 0, "Give the prompt's length.")
        check_int("min_new_tokens", self.min_new_tokens, 0, "Use 0 for no minimum.")
        object.__setattr__(
            self, "eos_token_id", as_ids("eos_token_id", self.eos_token_id)
        )

    def process(self, scores, tokens, length):
        ending = mark_ids(self.eos_token_id, scores)
        return ban(scores, (length - self.prompt_len < self.min_new_tokens) & ending)


@dataclass(frozen=True, eq=False)
class ExponentialDecayLength(Processor):
    """Raises the score of the end more and more once enough tokens are there.

    Args:
        exponential_decay_length_penalty: pair (start, factor): after `start` new tokens
            the score of an end token grows by `abs(score) * (factor ** excess - 1)`.
        eos_token_id: int or sequence of int, the tokens that end a sequence.
        prompt_len: int or int32[], the decoder tokens before the first new one.

    Raises:
        ValueError: if the pair is no pair, `start` is negative or no integer, `factor`
            is not above 0, or there is no end token.

    Source: transformers' `ExponentialDecayLengthPenalty`.

    Example:
        >>> from tf_led.generation.processors import ExponentialDecayLength
        >>> decay = ExponentialDecayLength((1, 2.0), 1, prompt_len=1)
        >>> decay([[0.5, -1.0]], [[0, 0, 0, 0]], 4).numpy().tolist()
        [[0.5, 2.0]]
    """

    exponential_decay_length_penalty: Sequence[float]
    eos_token_id: int | Sequence[int] | None
    prompt_len: int

    def __post_init__(self):
        name, pair = (
            "exponential_decay_length_penalty",
            self.exponential_decay_length_penalty,
        )
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(
                f"`{name}` must be a pair (start, factor), got {pair!r}. "
                "Try (32, 1.05): from 32 new tokens on, 5 % more per token."
            )
        check_int(f"{name}[0]", pair[0], 0, "It counts new tokens.")
        check_positive(f"{name}[1]", pair[1], "Above 1 it favours the end.")
        ids = as_ids("eos_token_id", self.eos_token_id, lowest=0)
        if not ids:
            raise ValueError(
                f"`eos_token_id` must be given with `{name}`, got None. Set it, or "
                f"leave `{name}` out."
            )
        object.__setattr__(self, "eos_token_id", ids)

    def token_ids(self):
        return {"eos_token_id": self.eos_token_id}

    def process(self, scores, tokens, length):
        start, factor = self.exponential_decay_length_penalty
        excess = tf.maximum(length - start - self.prompt_len, 0)
        # In float64, as Python's own power is; 0 where nothing is in excess.
        growth = tf.pow(tf.cast(factor, tf.float64), tf.cast(excess, tf.float64)) - 1
        growth = tf.cast(growth, scores.dtype)
        # A growth that overflows must not turn a score of 0 into NaN.
        penalty = tf.math.multiply_no_nan(growth, tf.abs(scores))
        rises = mark_ids(self.eos_token_id, scores) & tf.math.is_finite(scores)
        return tf.where(rises, scores + penalty, scores)
