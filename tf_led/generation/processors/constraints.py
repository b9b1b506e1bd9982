"""Processors that favour, forbid or force given tokens and sequences of them."""

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_led.generation.processors.base import Processor, ban, mark_ids, vocab_size_of
from tf_led.utils.annotations import Integer
from tf_led.utils.validation import as_ids, check_int, is_id


def _add_bias(scores, tokens, length, bias_of):
    """Adds its bias to each token that would complete a sequence of `bias_of`."""
    values, last_ids = [], []
    for context_len in sorted({len(sequence) - 1 for sequence in bias_of}):
        group = [ids for ids in bias_of if len(ids) - 1 == context_len]
        contexts = np.array([ids[:-1] for ids in group], np.int32)  # [P, context_len]
        fits = _ends_with(contexts, tokens, length)  # [X, P]
        bias = tf.constant([bias_of[ids] for ids in group], scores.dtype)
        values.append(tf.where(fits, bias, tf.zeros_like(bias)))
        last_ids += [ids[-1] for ids in group]
    by_sequence = tf.transpose(tf.concat(values, axis=1))  # [P, X]
    by_token = tf.math.unsorted_segment_sum(
        by_sequence, tf.constant(last_ids), vocab_size_of(scores)
    )
    return scores + tf.transpose(by_token)


def _ends_with(contexts, tokens, length):
    """Tells which rows end in which of `contexts` int32[P, M], as bool[X, P]."""
    context_len = contexts.shape[1]
    columns = tf.maximum(length - context_len + tf.range(context_len), 0)
    ending = tf.gather(tokens, columns, axis=1)[:, None, :]  # [X, 1, M]
    return (length >= context_len) & tf.reduce_all(ending == contexts, axis=-1)


def _is_sequence_of_ids(value, kind):
    is_filled = isinstance(value, kind) and len(value) > 0
    return is_filled and all(is_id(item) and item >= 0 for item in value)


def _is_bias(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


@dataclass(frozen=True, eq=False)
class SequenceBias(Processor):
    """Adds a bias to each token that would complete a given sequence.

    Args:
        sequence_bias: dict of tuple of int -> number, or list of pairs [list of int,
            number]: the sequences, of one token or more, and what their last token's
            score is raised by once the others are there.

    Raises:
        ValueError: if it has another form, is empty, or (on a call) holds an id beyond
            the vocabulary.

    Source: transformers' `SequenceBiasLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import SequenceBias
        >>> bias = SequenceBias({(0,): 1.0, (2, 1): -3.0})
        >>> bias([[0.5, 0.5, 0.5]], [[0, 2]], 2).numpy().tolist()
        [[1.5, -2.5, 0.5]]
    """

    sequence_bias: Mapping[tuple[int, ...], float] | Sequence[Sequence[Any]]

    def __post_init__(self):
        given = self.sequence_bias
        pairs = list(given.items()) if isinstance(given, dict) else given
        kind = tuple if isinstance(given, dict) else list
        if not isinstance(pairs, list) or not pairs:
            self._raise(given)
        for pair in pairs:
            is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2
            if not (
                is_pair and _is_sequence_of_ids(pair[0], kind) and _is_bias(pair[1])
            ):
                self._raise(pair)
        bias_of = {tuple(map(int, ids)): float(bias) for ids, bias in pairs}
        object.__setattr__(self, "sequence_bias", bias_of)

    def _raise(self, what):
        raise ValueError(
            "`sequence_bias` must be a dict of tuples of token ids and numbers, or a "
            f"list of pairs [ids, number], and not empty; got {what!r}. Try {{(7, 3): "
            "-2.0}."
        )

    def token_ids(self):
        return {"sequence_bias": sorted({i for ids in self.sequence_bias for i in ids})}

    def process(self, scores, tokens, length):
        return _add_bias(scores, tokens, length, self.sequence_bias)


@dataclass(frozen=True, eq=False)
class NoBadWords(Processor):
    """Forbids each token that would complete one of some words.

    Args:
        bad_words_ids: list of lists of int, each the tokens of a word. A word that is
            an end token alone is passed over: a sequence has to end.
        eos_token_id: None, int or sequence of int, the tokens that end a sequence.

    Raises:
        ValueError: if it has another form, a word is empty, nothing is left to forbid,
            or (on a call) an id is beyond the vocabulary.

    Source: transformers' `NoBadWordsLogitsProcessor`.

    Example:
        >>> from tf_led.generation.processors import NoBadWords
        >>> rule = NoBadWords([[0], [2, 1]])
        >>> rule([[0.5, 0.5, 0.5]], [[0, 2]], 2).numpy().tolist()
        [[-inf, -inf, 0.5]]
    """

    bad_words_ids: Sequence[Sequence[int]]
    eos_token_id: int | Sequence[int] | None = None

    def __post_init__(self):
        words = self.bad_words_ids
        if not isinstance(words, list) or not words:
            self._raise(words)
        for word in words:
            if not _is_sequence_of_ids(word, list):
                self._raise(word)
        ends = {(end,) for end in as_ids("eos_token_id", self.eos_token_id)}
        words = {tuple(map(int, word)) for word in words} - ends
        if not words:
            self._raise(self.bad_words_ids)
        object.__setattr__(self, "bad_words_ids", words)

    def _raise(self, what):
        raise ValueError(
            "`bad_words_ids` must be a list of lists of token ids, none of them empty "
            f"and one at least not an end token; got {what!r}. Take each word's ids "
            "from `tokenizer(word, add_special_tokens=False).input_ids`."
        )

    def token_ids(self):
        return {
            "bad_words_ids": sorted({i for word in self.bad_words_ids for i in word})
        }

    def process(self, scores, tokens, length):
        bias_of = dict.fromkeys(sorted(self.bad_words_ids), float("-inf"))
        return _add_bias(scores, tokens, length, bias_of)


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

    forced_bos_token_id: int

    def __post_init__(self):
        ids = as_ids("forced_bos_token_id", self.forced_bos_token_id, lowest=0)
        object.__setattr__(self, "forced_bos_token_id", ids)

    def token_ids(self):
        return {"forced_bos_token_id": self.forced_bos_token_id}

    def process(self, scores, tokens, length):
        return _force(scores, self.forced_bos_token_id, length == 1)


@dataclass(frozen=True, eq=False)
class ForcedEOS(Processor):
    """Makes `forced_eos_token_id` the last token that `max_length` allows.

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

    max_length: Integer
    forced_eos_token_id: int | Sequence[int]

    def __post_init__(self):
        check_int("max_length", self.max_length, 1, "Give the length to end at.")
        ids = as_ids("forced_eos_token_id", self.forced_eos_token_id, lowest=0)
        object.__setattr__(self, "forced_eos_token_id", ids)

    def token_ids(self):
        return {"forced_eos_token_id": self.forced_eos_token_id}

    def process(self, scores, tokens, length):
        return _force(scores, self.forced_eos_token_id, length == self.max_length - 1)


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

    suppress_tokens: int | Sequence[int]

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

    begin_suppress_tokens: int | Sequence[int]
    begin_index: int

    def __post_init__(self):
        check_int("begin_index", self.begin_index, 0, "Give the prompt's length.")
        ids = as_ids("begin_suppress_tokens", self.begin_suppress_tokens, lowest=0)
        object.__setattr__(self, "begin_suppress_tokens", ids)

    def token_ids(self):
        return {"begin_suppress_tokens": self.begin_suppress_tokens}

    def process(self, scores, tokens, length):
        banned = mark_ids(self.begin_suppress_tokens, scores)
        return ban(scores, (length == self.begin_index) & banned)
