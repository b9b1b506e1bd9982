"""What a processor is."""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf


@dataclass(frozen=True, eq=False)
class Processor:
    """Changes the scores of the next token; the base of all processors.

    Calling one: `processor(scores, tokens, length)` with

    - scores: float32[X, V], for every row (row b * K + k is beam k of document b) the
      logits of the next token, or with beams their log-probabilities;
    - tokens: int32[X, T], a buffer of fixed size whose first `length` columns are the
      decoder's tokens so far, start token and prompt included; the rest is ignored;
    - length: int32[].

    It returns the new float32[X, V]; a forbidden token has -inf. All works eagerly, in
    a `tf.function` with unknown shapes, under `jit_compile=True` and in a SavedModel,
    unless `needs_python` is True: such a processor runs eagerly only.

    Source: transformers' `LogitsProcessor`, whose results these equal.

    Example:
        >>> from tf_led.generation.processors import Processor
        >>> Processor()([[1.0, 2.0]], [[0]], 1).numpy().tolist()
        [[1.0, 2.0]]
    """

    needs_python: ClassVar[bool] = False

    def __call__(self, scores, tokens, length):
        scores = tf.convert_to_tensor(scores)
        self.check_vocabulary(scores.shape[-1])
        return self.process(
            scores, tf.cast(tokens, tf.int32), tf.cast(length, tf.int32)
        )

    def process(self, scores, tokens, length):
        """Does the work on tensors; see the class. The base changes nothing."""
        del tokens, length
        return scores

    def token_ids(self):
        """Names the token ids that must lie in the vocabulary.

        Returns:
            dict of str (the option that gave them) -> tuple of int.

        Example:
            >>> from tf_led.generation.processors import SuppressTokens
            >>> SuppressTokens([3, 5]).token_ids()
            {'suppress_tokens': (3, 5)}
        """
        return {}

    def check_vocabulary(self, vocab_size):
        """Refuses token ids that the vocabulary does not have.

        Args:
            vocab_size: int, or None where it is not known yet (nothing is checked).

        Raises:
            ValueError: naming the option and the ids.

        Example:
            >>> from tf_led.generation.processors import SuppressTokens
            >>> SuppressTokens([3, 5]).check_vocabulary(vocab_size=5)
            Traceback (most recent call last):
            ValueError: `suppress_tokens` holds ids beyond the vocabulary: [5]; ...
        """
        for name, ids in self.token_ids().items() if vocab_size is not None else ():
            beyond = [token_id for token_id in ids if token_id >= vocab_size]
            if beyond:
                raise ValueError(
                    f"`{name}` holds ids beyond the vocabulary: {beyond}; allowed are "
                    f"0 to {vocab_size - 1}. Take the ids from this model's tokenizer."
                )
