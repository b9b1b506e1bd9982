"""Processors that forbid a few tokens."""

from dataclasses import dataclass
from typing import Any

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import as_ids, check_count
from tf_led.generation.processors.tensors import ban, mark_ids


@dataclass(frozen=True, eq=False)
class SuppressTokens(Processor):
    """Forbids some tokens everywhere.

    Args:
        suppress_tokens: sequence of int, at least 0.

    Raises:
        ValueError: if an id is no token id, or (on a call) beyond the vocabulary.

    Source: transformers' `SuppressTokensLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import SuppressTokens
        >>> SuppressTokens([0])([[0.5, 0.75]], [[0]], 1).numpy().tolist()
        [[-inf, 0.75]]
    """

    suppress_tokens: Any

    def __post_init__(self):
        ids = as_ids("suppress_tokens", self.suppress_tokens, lowest=0)
        object.__setattr__(self, "suppress_tokens", ids)

    def token_ids(self):
        return {"suppress_tokens": self.suppress_tokens}

    def process(self, scores, tokens, length):
        return ban(scores, mark_ids(self.suppress_tokens, scores))


@dataclass(frozen=True, eq=False)
class SuppressTokensAtBegin(Processor):
    """Forbids some tokens at the first free place.

    Args:
        begin_suppress_tokens: sequence of int, at least 0.
        begin_index: int or int32[], the length at which they are forbidden.

    Raises:
        ValueError: if an id is no token id, or (on a call) beyond the vocabulary.

    Source: transformers' `SuppressTokensAtBeginLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import SuppressTokensAtBegin
        >>> SuppressTokensAtBegin([0], 1)([[0.5, 0.25]], [[0]], 1).numpy().tolist()
        [[-inf, 0.25]]
    """

    begin_suppress_tokens: Any
    begin_index: Any

    def __post_init__(self):
        check_count("begin_index", self.begin_index, 0, "Give the prompt's length.")
        ids = as_ids("begin_suppress_tokens", self.begin_suppress_tokens, lowest=0)
        object.__setattr__(self, "begin_suppress_tokens", ids)

    def token_ids(self):
        return {"begin_suppress_tokens": self.begin_suppress_tokens}

    def process(self, scores, tokens, length):
        banned = mark_ids(self.begin_suppress_tokens, scores)
        return ban(scores, (length == self.begin_index) & banned)
