"""Processors that weigh tokens which have occurred before, here or in other beams."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tf_led.generation.processors.base import (
    Processor,
    ban,
    count_tokens,
    known_positions,
    mark_tokens,
    repeat_for_beams,
    rows_per_document,
    vocab_size_of,
)
from tf_led.utils.annotations import Integer, Number, TensorLike
from tf_led.utils.validation import check_int, check_positive


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

    no_repeat_ngram_size: Integer

    def __post_init__(self):
        check_int(
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

    encoder_no_repeat_ngram_size: Integer
    encoder_ids: TensorLike

    def __post_init__(self):
        check_int(
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

    repetition_penalty: Number
    prompt_ignore_length: TensorLike | None = None

    def __post_init__(self):
        check_positive("repetition_penalty", self.repetition_penalty, "Use 1 for none.")
        ignored = self.prompt_ignore_length
        if ignored is not None and not getattr(ignored, "shape", ()):
            check_int("prompt_ignore_length", ignored, 0, "Use None for nothing.")

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

    encoder_repetition_penalty: Number
    encoder_ids: TensorLike
    vocab_size: int

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


@dataclass(frozen=True, eq=False)
class HammingDiversity(Processor):
    """Lowers the tokens that earlier groups of beams have just taken.

    The groups of one step are searched one after the other, and each has to know what
    those before it chose. So this is the one processor that cannot be called as it
    stands: group beam search calls, for every group, what `bind` gives, on the scores
    of this group's beams alone.

    Args:
        diversity_penalty: number or float[], above 0: what a score loses for each
            earlier beam of the document that took the token.
        num_beams: int, at least 2, over all groups.
        num_beam_groups: int, at least 2 and at most `num_beams`.

    Raises:
        ValueError: if a number is out of its range, or it is called unbound.

    Source: diverse beam search (arXiv 1610.02424), equation 3; transformers 4.57's
    `HammingDiversityLogitsProcessor`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.generation.processors import HammingDiversity
        >>> diversity = HammingDiversity(0.5, num_beams=4, num_beam_groups=2)
        >>> taken = tf.constant([[1, 1, 0, 0]])  # group 1 has not chosen yet
        >>> second_group = diversity.bind(taken, group=1)
        >>> second_group([[0.0, 2.0], [0.0, 3.0]], [[0], [0]], 1).numpy().tolist()
        [[0.0, 1.0], [0.0, 2.0]]
    """

    diversity_penalty: Number
    num_beams: int
    num_beam_groups: int

    def __post_init__(self):
        check_positive("diversity_penalty", self.diversity_penalty, "Use 0 for none.")
        check_int("num_beams", self.num_beams, 2, "Groups are groups of beams.")
        check_int("num_beam_groups", self.num_beam_groups, 2, "Use 1 for no groups.")
        if self.num_beam_groups > self.num_beams:
            raise ValueError(
                f"`num_beam_groups` must be at most `num_beams` ({self.num_beams}), "
                f"got {self.num_beam_groups}. Use fewer groups or more beams."
            )

    def bind(self, taken_ids: TensorLike, group: int) -> Callable[..., tf.Tensor]:
        """Makes the processor of one group at one step.

        Args:
            taken_ids: int32[B, K], the tokens that the beams of the groups before
                `group` took at this step; what stands for later beams is ignored.
            group: int or int32[], from 0.

        Returns:
            A callable like `Processor`, over B * (K / groups) rows.

        Example:
            >>> from tf_led.generation.processors import HammingDiversity
            >>> rule = HammingDiversity(0.5, 2, 2).bind([[1, 0]], group=1)
            >>> rule([[3.0, 3.0]], [[0]], 1).numpy().tolist()  # group 0 took token 1
            [[3.0, 2.5]]
        """
        return functools.partial(self._lower, taken_ids, group)

    def _lower(self, taken_ids, group, scores, tokens, length):
        del tokens, length
        scores, taken_ids = tf.convert_to_tensor(scores), tf.cast(taken_ids, tf.int32)
        group_len = self.num_beams // self.num_beam_groups
        is_earlier = tf.range(tf.shape(taken_ids)[1]) < group * group_len
        count = count_tokens(taken_ids, vocab_size_of(scores), where=is_earlier)
        penalty = tf.cast(self.diversity_penalty, scores.dtype)
        lowered_by = penalty * tf.cast(count, scores.dtype)  # [B, V]
        return scores - repeat_for_beams(lowered_by, scores)

    def process(self, scores, tokens, length):
        raise ValueError(
            f"{self!r} was called without its group. Call `bind(taken_ids, group)` and "
            "call what it returns."
        )
