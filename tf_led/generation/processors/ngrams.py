"""Processors that forbid n-grams to occur twice."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import check_count
from tf_led.generation.processors.tensors import (
    ban,
    known_positions,
    mark_tokens,
    rows_per_document,
    vocab_size_of,
)


def find_continuations(text, tokens, length, context_len, num_beams):
    """Finds where a text goes on from what the last tokens of a row are.

    Compares the texts with themselves shifted, one token of the context at a time, and
    stops as soon as nothing fits any more: for n-grams of any size, this takes about as
    many steps as the longest piece that the texts and the rows have in common.

    Args:
        text: int32[B, S], where to look.
        tokens: int32[X, T], the rows, X = B * num_beams.
        length: int32[], the tokens of the rows that are known.
        context_len: int, how many last tokens of a row have to agree.
        num_beams: int or int32[], the rows per text.

    Returns:
        bool[B, K, S]. True at p where text[b, p - context_len : p] equals
        tokens[row, length - context_len : length].
    """
    num_texts, text_len = tf.shape(text)[0], tf.shape(text)[1]
    shape = tf.stack([num_texts, num_beams, text_len])
    has_context = (tf.range(text_len) >= context_len) & (length >= context_len)
    start = tf.broadcast_to(has_context, shape)  # [B, K, S]

    def still_fits(offset, fits):
        return (offset <= context_len) & tf.reduce_any(fits)

    def compare(offset, fits):
        shifted = tf.roll(text, offset, axis=1)[:, None, :]  # [B, 1, S]
        wanted = tf.gather(tokens, tf.maximum(length - offset, 0), axis=1)
        fits &= shifted == tf.reshape(wanted, [num_texts, num_beams, 1])
        return offset + 1, tf.ensure_shape(fits, start.shape)

    return tf.while_loop(still_fits, compare, [tf.constant(1), start])[1]


@dataclass(frozen=True, eq=False)
class NoRepeatNGram(Processor):
    """Forbids every token that would complete an n-gram that is there already.

    Args:
        no_repeat_ngram_size: int, at least 1.

    Raises:
        ValueError: if the size is not an integer of at least 1.

    Source: transformers' `NoRepeatNGramLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import NoRepeatNGram
        >>> NoRepeatNGram(2)([[0.5, 0.5, 0.5]], [[1, 2, 1, 0]], 3).numpy().tolist()
        [[0.5, 0.5, -inf]]
    """

    no_repeat_ngram_size: Any

    def __post_init__(self):
        check_count(
            "no_repeat_ngram_size", self.no_repeat_ngram_size, 1, "Use 0 for no rule."
        )

    def process(self, scores, tokens, length):
        context_len = self.no_repeat_ngram_size - 1
        ends = find_continuations(tokens, tokens, length, context_len, num_beams=1)
        repeats = ends[:, 0] & known_positions(tokens, length)  # [X, T]
        return ban(scores, mark_tokens(tokens, vocab_size_of(scores), where=repeats))


@dataclass(frozen=True, eq=False)
class EncoderNoRepeatNGram(Processor):
    """Forbids every token that would complete an n-gram of the document.

    Args:
        encoder_no_repeat_ngram_size: int, at least 1.
        encoder_ids: int32[B, S], the documents; each serves the beams of its row.
            Padding counts as a token, as in PyTorch.

    Raises:
        ValueError: if the size is not an integer of at least 1.

    Source: transformers' `EncoderNoRepeatNGramLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import EncoderNoRepeatNGram
        >>> rule = EncoderNoRepeatNGram(2, [[1, 2, 0]])
        >>> rule([[0.5, 0.5, 0.5]], [[0, 1]], 2).numpy().tolist()
        [[0.5, 0.5, -inf]]
    """

    encoder_no_repeat_ngram_size: Any
    encoder_ids: Any

    def __post_init__(self):
        check_count(
            "encoder_no_repeat_ngram_size",
            self.encoder_no_repeat_ngram_size,
            1,
            "Use 0 for no rule.",
        )
        object.__setattr__(self, "encoder_ids", tf.cast(self.encoder_ids, tf.int32))

    def process(self, scores, tokens, length):
        num_beams = rows_per_document(scores, self.encoder_ids)
        context_len = self.encoder_no_repeat_ngram_size - 1
        ends = find_continuations(
            self.encoder_ids, tokens, length, context_len, num_beams
        )
        ids = tf.broadcast_to(self.encoder_ids[:, None, :], tf.shape(ends))  # [B, K, S]
        rows = [tf.shape(scores)[0], tf.shape(ends)[2]]
        banned = mark_tokens(
            tf.reshape(ids, rows),
            vocab_size_of(scores),
            where=tf.reshape(ends, rows),
        )
        return ban(scores, banned)
