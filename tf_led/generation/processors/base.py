"""What a processor is."""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tf_led.utils.annotations import TensorLike


def vocab_size_of(scores):
    """Gives the size of the last axis: a Python int where known, else a tensor."""
    return scores.shape[-1] or tf.shape(scores)[-1]


def count_tokens(ids, vocab_size, where=None):
    """Counts, in a row over the vocabulary, how often an id occurs in a row of `ids`.

    One scatter: memory grows with the number of ids and with the vocabulary, never
    with their product. Ids outside the vocabulary are not counted.

    Args:
        ids: int32[X, M].
        vocab_size: int or int32[], the size V of the result's rows.
        where: bool[X, M] or bool[1, M]. False leaves the id at this place out. None:
            all count.

    Returns:
        int32[X, V].
    """
    counts = (ids >= 0) & (ids < vocab_size)
    if where is not None:
        counts &= where
    num_rows, row_len = tf.shape(ids)[0], vocab_size + 1  # one spare column at the end
    cell = tf.where(counts, ids, vocab_size) + tf.range(num_rows)[:, None] * row_len
    found = tf.math.unsorted_segment_sum(tf.ones_like(cell), cell, num_rows * row_len)
    return tf.reshape(found, [num_rows, row_len])[:, :vocab_size]


def mark_tokens(ids, vocab_size, where=None):
    """Marks which ids occur: bool[X, V], the arguments as of `count_tokens`."""
    return count_tokens(ids, vocab_size, where) > 0


def mark_ids(ids, scores):
    """Marks a few ids that are the same for all rows, as bool[1, V]."""
    ids = tf.constant(ids, tf.int32, shape=[1, len(ids)])
    return mark_tokens(ids, vocab_size_of(scores))


def ban(scores, banned):
    """Sets the scores to -inf where `banned` is True; both broadcast to [X, V]."""
    return tf.where(banned, tf.constant(float("-inf"), scores.dtype), scores)


def known_positions(tokens, length):
    """Tells which columns of the token buffer are filled, as bool[1, T]."""
    return (tf.range(tf.shape(tokens)[1]) < length)[None, :]


def rows_per_document(scores, document_values):
    """Gives K where `scores` has B * K rows and `document_values` has B."""
    return tf.shape(scores)[0] // tf.shape(document_values)[0]


def repeat_for_beams(document_values, scores):
    """Repeats values of documents, [B, ...], for their beams, [X, ...]."""
    beams = rows_per_document(scores, document_values)
    return tf.repeat(document_values, beams, axis=0)


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

    def __call__(
        self, scores: TensorLike, tokens: TensorLike, length: TensorLike
    ) -> tf.Tensor:
        scores = tf.convert_to_tensor(scores)
        self.check_vocabulary(scores.shape[-1])
        return self.process(
            scores, tf.cast(tokens, tf.int32), tf.cast(length, tf.int32)
        )

    def process(
        self, scores: TensorLike, tokens: TensorLike, length: TensorLike
    ) -> tf.Tensor:
        """Does the work on tensors; see the class. The base changes nothing."""
        del tokens, length
        return scores

    def token_ids(self) -> dict[str, tuple[int, ...]]:
        """Names the token ids that must lie in the vocabulary.

        Returns:
            dict of str (the option that gave them) -> tuple of int.

        Example:
            >>> from tf_led.generation.processors import SuppressTokens
            >>> SuppressTokens([3, 5]).token_ids()
            {'suppress_tokens': (3, 5)}
        """
        return {}

    def check_vocabulary(self, vocab_size: int | None) -> None:
        """Raises ValueError on token ids that the vocabulary does not have.

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
