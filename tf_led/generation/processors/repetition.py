"""Processors that weigh tokens which have occurred before."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_count, check_positive
from tf_led.generation.processors.tensors import (
    known_positions,
    mark_tokens,
    repeat_for_beams,
    vocab_size_of,
)


def _penalise(scores, penalty, seen):
    """Divides positive and multiplies negative scores by `penalty` where `seen`."""
    penalty = tf.cast(penalty, scores.dtype)
    lowered = tf.where(scores < 0, scores * penalty, scores / penalty)
    return tf.where(seen, lowered, scores)


@dataclass(frozen=True, eq=False)
class RepetitionPenalty(Processor):
    """Makes the tokens that the decoder has already seen less likely.

    Args:
        repetition_penalty: number or float[], above 0; above 1 it discourages, below 1
            it encourages repetition.
        prompt_ignore_length: None, int, or int32[B] or int32[X]: how many columns at
            the left do not count, for instance the padding of decoder prompts.

    Raises:
        ValueError: if `repetition_penalty` is not above 0, `prompt_ignore_length` is
            negative, or (on a call) its rows do not fit.

    Source: transformers' `RepetitionPenaltyLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import RepetitionPenalty
        >>> RepetitionPenalty(2.0)([[4.0, -3.0, 1.0]], [[0, 1]], 2).numpy().tolist()
        [[2.0, -6.0, 1.0]]
    """

    repetition_penalty: Any
    prompt_ignore_length: Any = None

    def __post_init__(self):
        check_positive("repetition_penalty", self.repetition_penalty, "Use 1 for none.")
        ignored = self.prompt_ignore_length
        if ignored is not None and not getattr(ignored, "shape", ()):
            check_count("prompt_ignore_length", ignored, 0, "Use None for nothing.")

    def process(self, scores, tokens, length):
        counts = known_positions(tokens, length)  # [1, T]
        if self.prompt_ignore_length is not None:
            counts &= tf.range(tf.shape(tokens)[1]) >= self._ignored(scores)  # [X, T]
        seen = mark_tokens(tokens, vocab_size_of(scores), where=counts)
        return _penalise(scores, self.repetition_penalty, seen)

    def _ignored(self, scores):
        ignored = tf.cast(self.prompt_ignore_length, tf.int32)
        if ignored.shape.rank == 0:
            return ignored
        num_rows, given = scores.shape[0], ignored.shape[0]
        if num_rows and given and num_rows % given:
            raise ValueError(
                f"`prompt_ignore_length` has {given} rows, but the scores have "
                f"{num_rows}. Give one number per document or per row of the scores."
            )
        return repeat_for_beams(ignored, scores)[:, None]


@dataclass(frozen=True, eq=False)
class EncoderRepetitionPenalty(Processor):
    """Makes the tokens of the document more likely.

    Args:
        encoder_repetition_penalty: number or float[], above 0; above 1 it favours the
            document's tokens.
        encoder_ids: int32[B, S], the documents; each serves the beams of its row.
            Padding counts as a token, as in PyTorch.
        vocab_size: int, V.

    Raises:
        ValueError: if `encoder_repetition_penalty` is not above 0.

    Source: transformers' `EncoderRepetitionPenaltyLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import EncoderRepetitionPenalty
        >>> favour = EncoderRepetitionPenalty(2.0, [[0, 1]], vocab_size=3)
        >>> favour([[4.0, -3.0, 1.0]], [[2]], 1).numpy().tolist()
        [[8.0, -1.5, 1.0]]
    """

    encoder_repetition_penalty: Any
    encoder_ids: Any
    vocab_size: Any

    def __post_init__(self):
        check_positive(
            "encoder_repetition_penalty",
            self.encoder_repetition_penalty,
            "Use 1 for none.",
        )
        # The document does not change, so what it holds is found once, before the loop.
        encoder_ids = tf.cast(self.encoder_ids, tf.int32)
        seen = mark_tokens(encoder_ids, self.vocab_size)  # [B, V]
        object.__setattr__(self, "encoder_ids", encoder_ids)
        object.__setattr__(self, "_seen", seen)

    def process(self, scores, tokens, length):
        seen = repeat_for_beams(self._seen, scores)  # [X, V]
        return _penalise(scores, 1 / self.encoder_repetition_penalty, seen)
