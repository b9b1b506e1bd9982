"""Hypotheses with scores and their beam history: growing, ranking, keeping the best."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_led.ops.control_flow import on_host

# The score of what must not be chosen: far below any log-probability, but a finite
# number, so that sums and differences stay numbers.
NEVER = -1.0e9


class Hypotheses(NamedTuple):
    """M hypotheses of every document.

    Args:
        tokens: int32[B, M, T].
        scores: float32[B, M], sums of log-probabilities; divided by the length penalty
            where the hypotheses are finished ones.
        beam_indices: int32[B, M, T - P]: the row, `b * K + k`, from whose scores each
            token was chosen; -1 after the last token.
    """

    tokens: Any
    scores: Any
    beam_indices: Any

    def pick(self, beam_index):
        """Picks hypotheses within each document.

        Args:
            beam_index: int32[B, N].

        Returns:
            N Hypotheses of every document.
        """
        return Hypotheses(*(pick_beams(field, beam_index) for field in self))

    def num_chosen(self):
        """Returns how many tokens follow the prompt: int32[B, M]."""
        return tf.reduce_sum(tf.cast(self.beam_indices >= 0, tf.int32), axis=-1)


def grow(running, beam_index, ids, scores, *, index, rows):
    """Makes candidates, one token longer than the hypotheses that they continue.

    Args:
        running: Hypotheses.
        beam_index: int32[B, M], the hypothesis that each candidate continues.
        ids: int32[B, M], its next token.
        scores: float32[B, M], its score.
        index: int32[], position of the last token of `running`.
        rows: int32[B, M], the row that each candidate was chosen from.

    Returns:
        M Hypotheses of every document.
    """
    tokens, _, beam_indices = running.pick(beam_index)
    first_chosen = tokens.shape[-1] - beam_indices.shape[-1]
    return Hypotheses(
        tokens=write_column(tokens, index + 1, ids),
        scores=scores,
        beam_indices=write_column(beam_indices, index + 1 - first_chosen, rows),
    )


def keep_best(count, *ranked):
    """Keeps the best of several lists.

    Args:
        count: int, N.
        *ranked: pairs of Hypotheses and a bool[B, M] that goes with them. Of equal
            scores the earlier pair wins.

    Returns:
        Pair of N Hypotheses of every document, best first, and their bool[B, N].
    """
    lists, flags = zip(*ranked, strict=True)
    merged = Hypotheses(
        *(tf.concat(fields, axis=1) for fields in zip(*lists, strict=True))
    )
    _, chosen = tf.math.top_k(merged.scores, count)
    return merged.pick(chosen), pick_beams(tf.concat(flags, axis=1), chosen)


def best_of_all(scores, count, worth=None):
    """Finds the best pairs of beam and token of every document.

    Args:
        scores: float32[B, K, V], by which they are ranked.
        count: int, M <= K * V.
        worth: float32[B, K, V] to return in the place of `scores`, or None.

    Returns:
        Triple of float32[B, M], best first, their beams int32[B, M] and their tokens
        int32[B, M].
    """
    width, vocab_size = scores.shape[1:]
    per_beam = min(count, vocab_size)
    # Rows first: scans of rows of V cost less than one of K * V.
    ranks, ids = tf.math.top_k(tf.reshape(scores, [-1, vocab_size]), per_beam)
    if worth is not None:
        worth = tf.gather(tf.reshape(worth, [-1, vocab_size]), ids, batch_dims=1)
    flat = [-1, width * per_beam]
    with on_host():
        values, chosen = tf.math.top_k(tf.reshape(ranks, flat), count)
        if worth is not None:
            values = pick_beams(tf.reshape(worth, flat), chosen)
        return values, chosen // per_beam, pick_beams(tf.reshape(ids, flat), chosen)


class LengthPenalty:
    """What scores are divided by: the number of tokens after the prompt, to a power.

    Args:
        options: GenerationOptions.
        prompt_len: int, P.
        length: int, T.
    """

    def __init__(self, options, *, prompt_len, length):
        counts = np.arange(length - prompt_len + 1, dtype=np.float64)
        counts[0] = 1  # Nothing of that length is ever scored.
        self._power = options.length_penalty
        if tf.is_tensor(self._power):
            powers = tf.pow(tf.constant(counts), tf.cast(self._power, tf.float64))
            self._table = tf.cast(powers, tf.float32)
        else:
            self._table = tf.constant(counts**self._power, tf.float32)
        # "never" means what the longest hypothesis could still reach.
        self._longest = None
        if options.early_stopping == "never":
            self._longest = options.length_limit(prompt_len) - prompt_len

    def __call__(self, num_chosen):
        """Returns the divisor float32[] after int32[] tokens."""
        return tf.gather(self._table, num_chosen)

    def best_case(self, num_chosen):
        """Returns the divisor float32[] that serves a running hypothesis best."""
        if self._longest is None:
            return self(num_chosen)
        if tf.is_tensor(self._power):
            return self(tf.where(self._power > 0, self._longest, num_chosen))
        return self(self._longest if self._power > 0 else num_chosen)


def new_hypotheses(tokens, score, prompt_len):
    """Makes hypotheses that hold the prompt alone.

    Args:
        tokens: int32[B, M, T].
        score: float, or float32[M].
        prompt_len: int, P.

    Returns:
        M Hypotheses of every document.
    """
    shape = tf.shape(tokens)
    return Hypotheses(
        tokens=tokens,
        scores=tf.broadcast_to(tf.constant(score, tf.float32), shape[:2]),
        beam_indices=tf.fill(
            [*tf.unstack(shape[:2]), tokens.shape[-1] - prompt_len], -1
        ),
    )


def own_beams(batch_size, width, length):
    """Makes the beam history of hypotheses that each beam wrote by itself.

    Args:
        batch_size: int or int32[], B.
        width: int, K.
        length: int, T.

    Returns:
        int32[B, K, T] with `k` at `[b, k, t]`.
    """
    return tf.broadcast_to(tf.range(width)[:, None], [batch_size, width, length])


def pick_beams(tensor, beam_index):
    """Picks beams within each document.

    Args:
        tensor: [B, K, ...].
        beam_index: int32[B, M], each in 0..K-1.

    Returns:
        [B, M, ...] with `tensor[b, beam_index[b, m]]` at `[b, m]`.
    """
    return tf.gather(tensor, beam_index, axis=1, batch_dims=1)


def write_column(tensor, position, values):
    """Writes one entry of the last axis.

    Args:
        tensor: [B, K, T].
        position: int32[].
        values: [B, K] or [K], of the dtype of `tensor`.

    Returns:
        [B, K, T], `tensor` with `values` at `[..., position]`.
    """
    # A `where` over a small tensor: it costs less than a scatter, and XLA fuses it.
    is_here = tf.range(tf.shape(tensor)[-1]) == position
    return tf.where(is_here, values[..., None], tensor)


def extend_history(beam_history, beam_index, next_position):
    """Gives the beam history of the hypotheses that go on.

    Args:
        beam_history: int32[B, K, T].
        beam_index: int32[B, K]. Beam `k` continues what beam `beam_index[b, k]` had.
        next_position: int32[], where the next token goes; each beam writes its own.

    Returns:
        int32[B, K, T].
    """
    own = tf.range(tf.shape(beam_history)[1])
    return write_column(pick_beams(beam_history, beam_index), next_position, own)
