"""Processors that leave one token to choose."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import as_ids, check_count
from tf_led.generation.processors.tensors import mark_ids


def _force(scores, ids, now):
    """Gives the ids score 0 and all else -inf when `now` (bool[]) is True."""
    forced = tf.where(mark_ids(ids, scores), 0.0, float("-inf"))  # [1, V]
    return tf.where(now, tf.cast(forced, scores.dtype), scores)


@dataclass(frozen=True, eq=False)
class ForcedBOS(Processor):
    """Makes `forced_bos_token_id` the token after the decoder's start token.

    Args:
        forced_bos_token_id: int, at least 0.

    Raises:
        ValueError: if the id is no token id, or (on a call) beyond the vocabulary.

    Source: transformers' `ForcedBOSTokenLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import ForcedBOS
        >>> ForcedBOS(1)([[0.5, 0.7]], [[0, 0]], 1).numpy().tolist()
        [[-inf, 0.0]]
    """

    forced_bos_token_id: Any

    def __post_init__(self):
        ids = as_ids("forced_bos_token_id", self.forced_bos_token_id, lowest=0)
        object.__setattr__(self, "forced_bos_token_id", ids)

    def token_ids(self):
        return {"forced_bos_token_id": self.forced_bos_token_id}

    def process(self, scores, tokens, length):
        return _force(scores, self.forced_bos_token_id, length == 1)


@dataclass(frozen=True, eq=False)
class ForcedEOS(Processor):
    """Makes `forced_eos_token_id` the last token that `max_length` has room for.

    Args:
        max_length: int or int32[], at least 1; decoder tokens, prompt included.
        forced_eos_token_id: int or sequence of int, at least 0.

    Raises:
        ValueError: if a value is out of its range, or (on a call) an id beyond the
            vocabulary.

    Source: transformers' `ForcedEOSTokenLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import ForcedEOS
        >>> ForcedEOS(3, 1)([[0.5, 0.7]], [[0, 0, 0]], 2).numpy().tolist()
        [[-inf, 0.0]]
    """

    max_length: Any
    forced_eos_token_id: Any

    def __post_init__(self):
        check_count("max_length", self.max_length, 1, "Give the length to end at.")
        ids = as_ids("forced_eos_token_id", self.forced_eos_token_id, lowest=0)
        object.__setattr__(self, "forced_eos_token_id", ids)

    def token_ids(self):
        return {"forced_eos_token_id": self.forced_eos_token_id}

    def process(self, scores, tokens, length):
        return _force(scores, self.forced_eos_token_id, length == self.max_length - 1)
