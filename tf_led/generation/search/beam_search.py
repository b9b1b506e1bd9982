"""Beam search and beam sampling."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.search.base import Search, SearchResult, StepResult
from tf_led.generation.search.greedy_and_sampling import (
    add_gumbel_noise,
    apply_processors,
    is_one_of,
)
from tf_led.generation.search.hypotheses import (
    NEVER,
    Hypotheses,
    LengthPenalty,
    best_of_all,
    extend_history,
    grow,
    keep_best,
    new_hypotheses,
    pick_beams,
)
from tf_led.ops.control_flow import on_host


class Beams(NamedTuple):
    """State of a beam search.

    Args:
        scores: float32[B, K] of the running hypotheses, best first.
        beam_indices: int32[B, K, T - P] of the running hypotheses.
        best: Hypotheses, the K best finished ones, best first.
        is_finished: bool[B, K], False where `best` holds nothing yet.
        is_improvable: bool[B], False once running ones cannot beat finished ones.
    """

    scores: Any
    beam_indices: Any
    best: Hypotheses
    is_finished: Any
    is_improvable: Any


class BeamSearch(Search):
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
        self.width = self.num_kept = options.num_beams
        self._eos_ids = options.eos_token_ids
        self._stops_when_full = options.early_stopping is True
        self._num_returned = options.num_return_sequences
        self._fill_id = _fill_id(options)
        self._prompt_len = prompt_len
        self._length = length
        self._limit = options.length_limit(prompt_len)
        self._processors = processors
        self._stops = stops
        self._seed = seed
        # So many continuations that K are left when every beam ends in every way.
        self._num_candidates = max(2, 1 + len(self._eos_ids)) * self.width
        self._penalty = LengthPenalty(options, prompt_len=prompt_len, length=length)

    def start(self, tokens):
        """See `Search`; its state is a Beams."""
        # All beams hold the same prompt: only the first may go on, or all would stay
        # the same for ever.
        first_only = [0.0] + [NEVER] * (self.width - 1)
        running = new_hypotheses(tokens, first_only, self._prompt_len)
        return Beams(
            scores=running.scores,
            beam_indices=running.beam_indices,
            best=new_hypotheses(tokens, NEVER, self._prompt_len),
            is_finished=tf.zeros_like(running.scores, tf.bool),
            is_improvable=tf.ones_like(running.scores[:, 0], tf.bool),
        )

    def advance(self, logits, extras, state):
        """See `Search`."""
        del extras
        log_probs = apply_processors(
            self._processors, tf.nn.log_softmax(logits), state.tokens, state.index + 1
        )
        pairs = self._best_pairs(log_probs, state)
        with on_host():
            return self._go_on(pairs, log_probs, state)

    def _go_on(self, pairs, log_probs, state):
        beams, num_chosen = state.search, state.index + 2 - self._prompt_len
        candidates, beam_index = self._candidates(pairs, state)
        has_ended = self._ends(candidates, state.index, log_probs)  # [B, M]
        best, is_finished = self._finish(candidates, has_ended, beams, num_chosen)
        open_scores = candidates.scores + tf.where(has_ended, NEVER, 0.0)
        scores, chosen = tf.math.top_k(open_scores, self.width)
        running = candidates.pick(chosen)
        best_possible = scores[:, :1] / self._penalty.best_case(num_chosen)
        is_improvable = beams.is_improvable & _may_beat(
            best_possible, best, is_finished
        )
        is_open = tf.reduce_any(is_improvable) & ~tf.reduce_all(has_ended)
        if self._stops_when_full:
            is_open &= ~tf.reduce_all(is_finished)
        beam_history = extend_history(
            state.beam_history, pick_beams(beam_index, chosen), state.index + 1
        )
        known = Beams(scores, running.beam_indices, best, is_finished, is_improvable)
        return StepResult(running.tokens, beam_history, known, log_probs, is_open)

    def finish(self, state):
        """See `Search`."""
        first = tf.range(self._num_returned)
        beam_index = tf.broadcast_to(
            first, [tf.shape(state.tokens)[0], self._num_returned]
        )
        best = state.search.best.pick(beam_index)
        ends = self._prompt_len + best.num_chosen()  # [B, R]
        is_chosen = tf.range(self._length) < ends[..., None]
        sequences = tf.where(is_chosen, best.tokens, self._fill_id)
        return SearchResult(
            sequences=tf.reshape(sequences, [-1, self._length]),
            length=tf.reduce_max(ends),
            num_chosen=state.index + 1 - self._prompt_len,
            scores=tf.reshape(best.scores, [-1]),
            beam_indices=tf.reshape(
                best.beam_indices, [-1, self._length - self._prompt_len]
            ),
        )

    def _best_pairs(self, log_probs, state):
        """Scores, beams and tokens of the candidates: see `best_of_all`."""
        totals = log_probs + tf.expand_dims(state.search.scores, 2)  # [B, K, V]
        if self._seed is None:
            return best_of_all(totals, self._num_candidates)
        noisy = add_gumbel_noise(totals, self._seed, state.index)
        return best_of_all(noisy, self._num_candidates, worth=totals)

    def _candidates(self, pairs, state):
        scores, beam_index, ids = pairs
        beams = state.search
        running = Hypotheses(state.tokens, beams.scores, beams.beam_indices)
        rows = beam_index + tf.range(tf.shape(beam_index)[0])[:, None] * self.width
        candidates = grow(
            running, beam_index, ids, scores, index=state.index, rows=rows
        )
        return candidates, beam_index

    def _ends(self, candidates, index, log_probs):
        newest = tf.gather(candidates.tokens, index + 1, axis=2)  # [B, M]
        ends = is_one_of(newest, self._eos_ids) | (index + 2 >= self._limit)
        if self._stops is None:
            return ends
        self._stops.note(log_probs)
        flat = tf.reshape(candidates.tokens, [-1, self._length])  # [B * M, T]
        return ends | tf.reshape(self._stops(flat, index + 2), tf.shape(ends))

    def _finish(self, candidates, has_ended, beams, num_chosen):
        # Candidates after the first K are there to go on, not to end.
        may_end = has_ended & (tf.range(self._num_candidates) < self.width)
        scores = candidates.scores / self._penalty(num_chosen)
        if self._stops_when_full:
            is_full = tf.reduce_all(beams.is_finished, axis=1, keepdims=True)
            scores += tf.where(is_full, NEVER, 0.0)
        scores += tf.where(beams.is_improvable[:, None], 0.0, NEVER)
        scores += tf.where(may_end, 0.0, NEVER)
        ended = candidates._replace(scores=scores)
        # The new ones first: an end that counts as never still beats no end at all.
        return keep_best(self.width, (ended, may_end), (beams.best, beams.is_finished))


def _may_beat(best_possible, best, is_finished):
    worst = tf.reduce_min(best.scores, axis=1, keepdims=True)
    return tf.reduce_any(best_possible > tf.where(is_finished, worst, NEVER), axis=1)


def _fill_id(options):
    if not options.eos_token_ids:
        return -1
    # parity: a padding id of 0 counts as none, see test_padding_id_0_is_no_padding.
    return options.pad_token_id or options.eos_token_ids[0]
