"""Greedy search and multinomial sampling: hypotheses that never meet."""

import numpy as np
import tensorflow as tf

from tf_led.generation.search.base import Search, SearchResult, StepResult
from tf_led.generation.search.hypotheses import write_column
from tf_led.ops.control_flow import on_host


def apply_processors(processors, scores, tokens, length):
    """Runs the logits processors over the scores of all hypotheses.

    Args:
        processors: callables (scores float32[X, V], tokens int32[X, T], length int32[])
            -> float32[X, V], in order; X = B * K.
        scores: float32[B, K, V].
        tokens: int32[B, K, T], of which the first `length` count.
        length: int32[].

    Returns:
        float32[B, K, V].
    """
    if not processors:
        return scores
    shape = tf.shape(scores)
    flat = tf.reshape(scores, [-1, scores.shape[-1]])  # [B * K, V]
    flat_tokens = tf.reshape(tokens, [-1, tokens.shape[-1]])  # [B * K, T]
    for processor in processors:
        flat = processor(flat, flat_tokens, length)
    return tf.ensure_shape(tf.reshape(flat, shape), scores.shape)


def make_seed(seed):
    """Makes the seed of one call.

    Args:
        seed: int of 64 bits, pair of ints of 32 bits, int32[], int64[] or int32[2];
            None draws one from TensorFlow's global generator, which
            `tf.random.set_seed` fixes.

    Returns:
        int32[2], another one for every int.

    Raises:
        ValueError: if `seed` is something else.
    """
    if seed is None:
        return tf.random.uniform([2], tf.int32.min, tf.int32.max, tf.int32)
    given = seed
    try:
        seed = tf.convert_to_tensor(seed)
    except (ValueError, TypeError, OverflowError):
        seed = tf.constant("no number")
    if not seed.dtype.is_integer or seed.shape not in ((), (2,)):
        raise ValueError(
            "`seed` must be an int of at most 64 bits or a pair of ints of 32, got "
            f"{given!r}."
        )
    return _spread(seed) if seed.shape == () else _check_pair(seed)


def _spread(seed):
    """Keeps all 64 bits; a number of 32 becomes a pair of itself."""
    low, high = tf.unstack(tf.bitcast(tf.cast(seed, tf.int64), tf.int32))
    beyond = tf.bitwise.bitwise_xor(high, tf.bitwise.right_shift(low, 31))
    return tf.stack([low, tf.bitwise.bitwise_xor(low, beyond)])


def _check_pair(seed):
    values = tf.get_static_value(seed)
    # In a graph nobody knows the numbers, only how many bits they may have.
    small = seed.dtype.size <= 4
    if not (small or (values is not None and np.array_equal(values, np.int32(values)))):
        raise ValueError(
            "`seed` as a pair must hold two ints of 32 bits, got "
            f"{values.tolist() if values is not None else seed.dtype.name}."
        )
    return tf.cast(seed, tf.int32)


def add_gumbel_noise(scores, seed, position):
    """Perturbs scores so that their largest is a draw from their softmax.

    The M largest are M draws without replacement, in order. The noise depends on the
    seed, the position and the shape alone, the same eagerly, in a graph and under XLA.

    Args:
        scores: float32[B, ...], log-probabilities up to a constant; -inf is never drawn
            while something else is left.
        seed: int32[2].
        position: int32[], folded into the seed: every token gets noise of its own.

    Returns:
        float32[B, ...].
    """
    # The default algorithm depends on the device; Philox does not.
    here = tf.random.experimental.stateless_fold_in(seed, position, alg="philox")
    bits = tf.random.stateless_uniform(
        tf.shape(scores), here, None, None, tf.uint32, alg="philox"
    )
    # Large noise comes from a small uniform number, where float32 is fine-grained: no
    # token of a large vocabulary is cut off for lack of digits.
    uniform = (tf.cast(bits, tf.float32) + 0.5) * 2.0**-32
    uniform = tf.minimum(uniform, 1 - 2.0**-24)
    return scores - tf.math.log(-tf.math.log1p(-uniform))


def is_one_of(tokens, ids):
    """Marks the tokens that are in a small set.

    Args:
        tokens: int32[...].
        ids: tuple of ints, may be empty.

    Returns:
        bool[...].
    """
    if not ids:
        return tf.zeros_like(tokens, tf.bool)
    return tf.reduce_any(tokens[..., None] == tf.constant(ids, tokens.dtype), axis=-1)


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
        self.width = self.num_kept = options.width
        self._eos_ids = options.eos_token_ids
        self.pad_id = options.padding_id
        self._prompt_len = prompt_len
        self._length = length
        self._limit = options.length_limit(prompt_len)
        self._processors = processors
        self._stops = stops

    def start(self, tokens):
        """See `Search`; its state says which hypotheses are finished, bool[B, K]."""
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
        with on_host():
            if self._eos_ids:
                picked = tf.where(finished, self.pad_id, picked)
            tokens = write_column(state.tokens, state.index + 1, picked)
            finished |= is_one_of(picked, self._eos_ids)
            if self._stops is not None:
                flat = tf.reshape(tokens, [-1, self._length])  # [B * K, T]
                self._stops.note(scores)
                stopped = self._stops(flat, length)
                finished |= tf.reshape(stopped, tf.shape(finished))
            is_open = ~tf.reduce_all(finished) & (length < self._limit)
        return StepResult(tokens, state.beam_history, finished, scores, is_open)

    def finish(self, state):
        """See `Search`."""
        length = state.index + 1
        flat = tf.reshape(state.tokens, [-1, self._length])  # [B * K, T]
        is_chosen = tf.range(self._length) < length
        sequences = tf.where(is_chosen, flat, self.pad_id)
        return SearchResult(sequences, length, length - self._prompt_len)


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
