"""Beam search and beam sampling."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_led.generation.ancestry import follow, pick_slots, write_column
from tf_led.generation.loop import Found, Move
from tf_led.generation.token_choice import (
    add_gumbel_noise,
    apply_processors,
    is_one_of,
)

# Far below any log-probability. Scores that carry it are told apart by nothing else: it
# is a finite number, so that sums and maxima stay numbers.
_NEVER = -1.0e9


class Hypotheses(NamedTuple):
    """M hypotheses of every document.

    Args:
        tokens: int32[B, M, T].
        scores: float32[B, M], sums of log-probabilities; divided by the length penalty
            where the hypotheses are finished ones.
        origins: int32[B, M, T - P]: the row, `b * K + k`, from whose scores each token
            was chosen; -1 after the last token.
    """

    tokens: Any
    scores: Any
    origins: Any

    def pick(self, slots):
        """Returns the hypotheses in slots int32[B, M']."""
        return Hypotheses(*(pick_slots(field, slots) for field in self))


class BeamState(NamedTuple):
    """Where a beam search stands.

    Args:
        scores: float32[B, K] of the running hypotheses, best first.
        origins: int32[B, K, T - P] of the running hypotheses.
        best: Hypotheses, the K best finished ones, best first.
        is_finished: bool[B, K], False where `best` holds nothing yet.
        is_improvable: bool[B], False once running ones cannot beat finished ones.
    """

    scores: Any
    origins: Any
    best: Hypotheses
    is_finished: Any
    is_improvable: Any


class BeamSearch:
    """Keeps the K best running and the K best finished hypotheses of every document.

    Args:
        options: GenerationOptions.
        prompt_len: int, P.
        length: int, T.
        processors: logits processors; they see log-probabilities.
        stops: None, or a PythonStops.
        seed: int32[2] to sample the continuations, None to take the best.

    Source: transformers 5.23, `_beam_search`.
    """

    def __init__(
        self, options, *, prompt_len, length, processors=(), stops=None, seed=None
    ):
        self.width = options.num_beams
        self._eos_ids = options.eos_token_ids
        self._early_stopping = options.early_stopping
        self._num_returned = options.num_return_sequences
        self._fill_id = _fill_id(options)
        self._prompt_len = prompt_len
        self._length = length
        self._processors = processors
        self._stops = stops
        self._seed = seed
        # So many continuations that K are left when every beam ends in every way.
        self._num_candidates = max(2, 1 + len(self._eos_ids)) * self.width
        steps = np.arange(length - prompt_len + 1, dtype=np.float64)
        steps[0] = 1  # Nothing of that length is ever scored.
        self._penalties = (steps**options.length_penalty).astype(np.float32)
        self._is_canonical = (
            options.early_stopping == "never" and options.length_penalty > 0
        )

    def start(self, tokens):
        """Returns the BeamState before the first step, from int32[B, K, T]."""
        batch_size, width = tf.shape(tokens)[0], self.width
        no_origin = tf.fill([batch_size, width, self._length - self._prompt_len], -1)
        # All beams hold the same prompt: only the first may go on, or all would be
        # the same forever.
        first_only = tf.where(tf.range(width) == 0, 0.0, _NEVER)
        nothing = Hypotheses(
            tokens=tokens,
            scores=tf.fill([batch_size, width], _NEVER),
            origins=no_origin,
        )
        return BeamState(
            scores=tf.broadcast_to(first_only, [batch_size, width]),
            origins=no_origin,
            best=nothing,
            is_finished=tf.zeros([batch_size, width], tf.bool),
            is_improvable=tf.ones([batch_size], tf.bool),
        )

    def advance(self, logits, extras, state):
        """Chooses the next tokens, see `Move`."""
        del extras
        beams, index = state.search, state.index
        log_probs = apply_processors(
            self._processors, tf.nn.log_softmax(logits), state.tokens, index + 1
        )
        candidates, slots = self._continue(log_probs, state)
        has_ended = self._ends(candidates, index, log_probs)  # [B, M]
        best, is_finished = self._keep_finished(candidates, has_ended, beams, index)
        running = candidates.scores + tf.where(has_ended, _NEVER, 0.0)
        scores, chosen = tf.math.top_k(running, self.width)
        running = candidates.pick(chosen)
        is_improvable = beams.is_improvable & self._may_improve(
            scores, best, is_finished, index
        )
        is_open = tf.reduce_any(is_improvable) & ~tf.reduce_all(has_ended)
        if self._early_stopping is True:
            is_open &= ~tf.reduce_all(is_finished)
        ancestors = follow(state.ancestors, pick_slots(slots, chosen), index + 1)
        search = BeamState(scores, running.origins, best, is_finished, is_improvable)
        return Move(running.tokens, ancestors, search, log_probs, is_open)

    def finish(self, state):
        """Returns what the last LoopState holds as Found."""
        best = state.search.best.pick(self._returned(state.tokens))
        num_chosen = tf.reduce_sum(tf.cast(best.origins >= 0, tf.int32), axis=-1)
        ends = num_chosen[..., None] + self._prompt_len  # [B, R, 1]
        sequences = tf.where(tf.range(self._length) < ends, best.tokens, self._fill_id)
        return Found(
            sequences=tf.reshape(sequences, [-1, self._length]),
            length=tf.reduce_max(ends),
            scores=tf.reshape(best.scores, [-1]),
            origins=tf.reshape(best.origins, [-1, self._length - self._prompt_len]),
        )

    def _returned(self, tokens):
        slots = tf.range(self._num_returned)
        return tf.broadcast_to(slots, [tf.shape(tokens)[0], self._num_returned])

    def _continue(self, log_probs, state):
        totals = log_probs + state.search.scores[..., None]  # [B, K, V]
        if self._seed is None:
            _, slots, ids = best_of_all(totals, self._num_candidates)
        else:
            noisy = add_gumbel_noise(totals, self._seed, state.index)
            _, slots, ids = best_of_all(noisy, self._num_candidates)
        scores = tf.gather_nd(totals, tf.stack([slots, ids], axis=-1), batch_dims=1)
        document = tf.range(tf.shape(slots)[0])[:, None]
        candidates = Hypotheses(
            tokens=write_column(pick_slots(state.tokens, slots), state.index + 1, ids),
            scores=scores,
            origins=write_column(
                pick_slots(state.search.origins, slots),
                state.index + 1 - self._prompt_len,
                slots + document * self.width,
            ),
        )
        return candidates, slots

    def _ends(self, candidates, index, log_probs):
        newest = tf.gather(candidates.tokens, index + 1, axis=2)  # [B, M]
        ends = is_one_of(newest, self._eos_ids) | (index + 2 >= self._length)
        if self._stops is None:
            return ends
        flat = tf.reshape(candidates.tokens, [-1, self._length])  # [B * M, T]
        flat_scores = tf.reshape(log_probs, [-1, log_probs.shape[-1]])  # [B * K, V]
        stopped = self._stops(flat, index + 2, flat_scores)
        return ends | tf.reshape(stopped, tf.shape(ends))

    def _keep_finished(self, candidates, has_ended, beams, index):
        # Candidates after the first K are there to go on, not to end.
        may_end = has_ended & (tf.range(self._num_candidates) < self.width)
        scores = candidates.scores / self._penalty(index + 2 - self._prompt_len)
        if self._early_stopping is True:
            is_full = tf.reduce_all(beams.is_finished, axis=1, keepdims=True)
            scores += tf.where(is_full, _NEVER, 0.0)
        scores += tf.where(beams.is_improvable[:, None], 0.0, _NEVER)
        scores += tf.where(may_end, 0.0, _NEVER)
        ended = candidates._replace(scores=scores)
        merged = Hypotheses(
            *(tf.concat(pair, axis=1) for pair in zip(beams.best, ended, strict=True))
        )
        _, chosen = tf.math.top_k(merged.scores, self.width)
        is_finished = tf.concat([beams.is_finished, may_end], axis=1)
        return merged.pick(chosen), pick_slots(is_finished, chosen)

    def _may_improve(self, scores, best, is_finished, index):
        reach = index + 2
        if self._is_canonical:
            reach = self._length
        best_possible = scores[:, :1] / self._penalty(reach - self._prompt_len)
        worst = tf.reduce_min(best.scores, axis=1, keepdims=True)
        return tf.reduce_any(
            best_possible > tf.where(is_finished, worst, _NEVER), axis=1
        )

    def _penalty(self, num_chosen):
        return tf.gather(tf.constant(self._penalties), num_chosen)


def best_of_all(scores, count):
    """Finds the best (slot, token) pairs of every document.

    Args:
        scores: float32[B, K, V].
        count: int, M <= K * V.

    Returns:
        Triple of float32[B, M], best first, their slots int32[B, M] and their tokens
        int32[B, M].
    """
    width, vocab_size = scores.shape[1:]
    per_slot = min(count, vocab_size)
    # Rows first: one scan of a row of V is cheaper than a heap over K * V.
    values, ids = tf.math.top_k(tf.reshape(scores, [-1, vocab_size]), per_slot)
    flat = [-1, width * per_slot]
    values, chosen = tf.math.top_k(tf.reshape(values, flat), count)
    ids = tf.gather(tf.reshape(ids, flat), chosen, axis=1, batch_dims=1)
    return values, chosen // per_slot, ids


def _fill_id(options):
    if not options.eos_token_ids:
        return -1
    # parity: a padding id of 0 counts as none, see test_beams_pad_with_eos_for_pad_0.
    return options.pad_token_id or options.eos_token_ids[0]
