"""Processors that favour or forbid sequences of tokens."""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.checks import as_ids, is_id
from tf_led.generation.processors.tensors import vocab_size_of


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

    sequence_bias: Any

    def __post_init__(self):
        given = self.sequence_bias
        pairs = list(given.items()) if isinstance(given, dict) else given
        kind = tuple if isinstance(given, dict) else list
        if not isinstance(pairs, list) or not pairs:
            self._refuse(given)
        for pair in pairs:
            is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2
            if not (
                is_pair and _is_sequence_of_ids(pair[0], kind) and _is_bias(pair[1])
            ):
                self._refuse(pair)
        bias_of = {tuple(map(int, ids)): float(bias) for ids, bias in pairs}
        object.__setattr__(self, "sequence_bias", bias_of)

    def _refuse(self, what):
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

    bad_words_ids: Any
    eos_token_id: Any = None

    def __post_init__(self):
        words = self.bad_words_ids
        if not isinstance(words, list) or not words:
            self._refuse(words)
        for word in words:
            if not _is_sequence_of_ids(word, list):
                self._refuse(word)
        ends = {(end,) for end in as_ids("eos_token_id", self.eos_token_id)}
        words = {tuple(map(int, word)) for word in words} - ends
        if not words:
            self._refuse(self.bad_words_ids)
        object.__setattr__(self, "bad_words_ids", words)

    def _refuse(self, what):
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
