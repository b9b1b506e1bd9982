"""Greedy search and multinomial sampling: hypotheses that never meet."""

import tensorflow as tf

from tf_led.generation.ancestry import write_column
from tf_led.generation.search import Found, Move, Search
from tf_led.generation.token_choice import (
    add_gumbel_noise,
    apply_processors,
    is_one_of,
)


class SingleSearch(Search):
    """Chooses the next token of every hypothesis by itself.

    Args:
        options: GenerationOptions.
        prompt_len: int, P.
        length: int, T.
        processors: logits processors, see `apply_processors`.
        stops: None, or a PythonStops.

    Source: transformers 5.23, `_sample`.
    """

    def __init__(self, options, *, prompt_len, length, processors=(), stops=None):
        self.width = self.num_recorded = options.width
        self._eos_ids = options.eos_token_ids
        self._pad_id = options.padding_id
        self._prompt_len = prompt_len
        self._length = length
        self._limit = options.length_limit(prompt_len, length)
        self._processors = processors
        self._stops = stops

    def start(self, tokens):
        """See `Search`; what is known is which hypotheses are finished, bool[B, K]."""
        return tf.zeros_like(tokens[..., 0], tf.bool)

    def pick(self, scores, index):
        """Returns the tokens to go on with, int32[B, K], from float32[B, K, V]."""
        raise NotImplementedError

    def advance(self, logits, extras, state):
        """See `Search`."""
        del extras
        finished, length = state.search, state.index + 2
        scores = apply_processors(self._processors, logits, state.tokens, length - 1)
        picked = self.pick(scores, state.index)
        if self._eos_ids:
            picked = tf.where(finished, self._pad_id, picked)
        tokens = write_column(state.tokens, state.index + 1, picked)
        finished |= is_one_of(picked, self._eos_ids)
        if self._stops is not None:
            flat = tf.reshape(tokens, [-1, self._length])  # [B * K, T]
            self._stops.note(scores)
            stopped = self._stops(flat, length)
            finished |= tf.reshape(stopped, tf.shape(finished))
        is_open = ~tf.reduce_all(finished) & (length < self._limit)
        return Move(tokens, state.ancestors, finished, scores, is_open)

    def finish(self, state):
        """See `Search`."""
        length = state.index + 1
        flat = tf.reshape(state.tokens, [-1, self._length])  # [B * K, T]
        is_chosen = tf.range(self._length) < length
        sequences = tf.where(is_chosen, flat, self._pad_id)
        return Found(sequences, length, length - self._prompt_len)


class GreedySearch(SingleSearch):
    """Goes on with the token of the highest score."""

    def pick(self, scores, index):
        """Returns the best tokens, int32[B, K], from float32[B, K, V]."""
        del index
        return tf.argmax(scores, axis=-1, output_type=tf.int32)


class Sampling(SingleSearch):
    """Goes on with a token drawn from the softmax of the scores.

    Args:
        options: GenerationOptions.
        seed: int32[2].
        **kwargs: as of SingleSearch.
    """

    def __init__(self, options, *, seed, **kwargs):
        super().__init__(options, **kwargs)
        self._seed = seed

    def pick(self, scores, index):
        """Returns tokens drawn, int32[B, K], from float32[B, K, V]."""
        noisy = add_gumbel_noise(scores, self._seed, index)
        return tf.argmax(noisy, axis=-1, output_type=tf.int32)
