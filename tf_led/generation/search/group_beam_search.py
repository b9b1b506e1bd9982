"""Diverse beam search: groups of beams that avoid each other's tokens."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.processors.repetition import HammingDiversity
from tf_led.generation.search.base import Search, SearchResult, StepResult
from tf_led.generation.search.greedy_and_sampling import apply_processors, is_one_of
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
    write_column,
)
from tf_led.ops.control_flow import on_host


class Group(NamedTuple):
    """State of one group of g beams.

    Args:
        running: Hypotheses, g of every document, best first.
        best: Hypotheses, the g best finished ones, best first.
        is_finished: bool[B, g], False where `best` holds nothing yet.
        is_done: bool[B], True once the group has nothing more to find.
    """

    running: Hypotheses
    best: Hypotheses
    is_finished: Any
    is_done: Any


class GroupBeamSearch(Search):
    """Searches G groups of g = K / G beams one after the other at every step.

    Args:
        options: GenerationOptions.
        prompt_len: int, P.
        length: int, T.
        processors: logits processors; a HammingDiversity among them goes last, and gets
            the tokens that the groups before have just taken.
        stops: None, or a PythonStops, called with the running hypotheses: the search
            ends when all of them are stopped.

    Source: diverse beam search (arXiv 1610.02424), in PyTorch
    `transformers-community/group-beam-search`. The `beam_indices` there number the
    beams of the first group only; here they are rows of `scores`, as after any search.
    """

    def __init__(self, options, *, prompt_len, length, processors=(), stops=None):
        self.width = self.num_kept = options.num_beams
        self._num_groups = options.num_beam_groups
        self._group_len = options.num_beams // options.num_beam_groups
        self._eos_ids = options.eos_token_ids
        self._pad_id = options.padding_id
        self._stops_when_full = options.early_stopping is True
        self._num_returned = options.num_return_sequences
        self._prompt_len = prompt_len
        self._length = length
        self._limit = options.length_limit(prompt_len)
        self._processors = processors
        self._diversity = [
            rule for rule in processors if isinstance(rule, HammingDiversity)
        ]
        self._stops = stops
        self._num_candidates = max(2, 1 + len(self._eos_ids)) * self._group_len
        self._penalty = LengthPenalty(options, prompt_len=prompt_len, length=length)

    def start(self, tokens):
        """See `Search`; its state is a tuple of G of Group."""
        tokens = tokens[:, : self._group_len]
        first_only = [0.0] + [NEVER] * (self._group_len - 1)
        running = new_hypotheses(tokens, first_only, self._prompt_len)
        group = Group(
            running=running,
            best=new_hypotheses(tokens, NEVER, self._prompt_len),
            is_finished=tf.zeros_like(running.scores, tf.bool),
            is_done=tf.zeros_like(running.scores[:, 0], tf.bool),
        )
        return (group,) * self._num_groups

    def advance(self, logits, extras, state):
        """See `Search`."""
        del extras
        log_probs = tf.nn.log_softmax(logits)
        taken = tf.zeros_like(state.tokens[..., 0])  # [B, K]
        groups, beam_index, scores = [], [], []
        for number, group in enumerate(state.search):
            own = slice(number * self._group_len, (number + 1) * self._group_len)
            processed = apply_processors(
                self._bound(taken, number),
                log_probs[:, own],
                group.running.tokens,
                state.index + 1,
            )
            totals = processed + tf.expand_dims(group.running.scores, 2)  # [B, g, V]
            pairs = best_of_all(totals, self._num_candidates)
            with on_host():
                group, picked = self._advance_group(
                    group, pairs, state.index, first_beam=own.start
                )
                beam_index.append(picked + own.start)
                newest = tf.gather(group.running.tokens, state.index + 1, axis=2)
                taken = [taken[:, : own.start], newest, taken[:, own.stop :]]
                taken = tf.concat(taken, axis=1)
            groups.append(group)
            scores.append(processed)
        scores = tf.concat(scores, axis=1)  # [B, K, V]
        with on_host():
            tokens = tf.concat([group.running.tokens for group in groups], axis=1)
            beam_history = extend_history(
                state.beam_history, tf.concat(beam_index, 1), state.index + 1
            )
            is_open = self._is_open(groups, tokens, scores, state.index)
        return StepResult(tokens, beam_history, tuple(groups), scores, is_open)

    def finish(self, state):
        """See `Search`."""
        num_chosen = state.index + 1 - self._prompt_len
        lists = [self._with_open(group, num_chosen) for group in state.search]
        best, has_eos = keep_best(self._num_returned, *lists)
        texts_len = self._prompt_len + best.num_chosen()  # [B, R]
        texts_len -= tf.cast(has_eos, tf.int32)
        # A text shorter than the limit ends in the first end token, whichever it met.
        length = tf.minimum(tf.reduce_max(texts_len) + 1, self._limit)
        if not self._eos_ids:
            length = tf.reduce_max(texts_len)
        position, ends = tf.range(self._length), texts_len[..., None]
        padding = tf.where(position == ends, (self._eos_ids or (0,))[0], self._pad_id)
        sequences = tf.where(position < ends, best.tokens, padding)
        return SearchResult(
            sequences=tf.reshape(sequences, [-1, self._length]),
            length=length,
            num_chosen=num_chosen,
            scores=tf.reshape(best.scores, [-1]),
            beam_indices=tf.reshape(
                best.beam_indices, [-1, self._length - self._prompt_len]
            ),
        )

    def _bound(self, taken, number):
        # Diversity comes after all others, or a forced token would undo it.
        rules = [rule for rule in self._processors if rule not in self._diversity]
        return rules + [rule.bind(taken, number) for rule in self._diversity]

    def _advance_group(self, group, pairs, index, *, first_beam):
        values, beam_index, ids = pairs
        document = tf.range(tf.shape(beam_index)[0])[:, None]
        rows = beam_index + first_beam + document * self.width
        candidates = grow(
            group.running, beam_index, ids, values, index=index, rows=rows
        )
        has_ended = is_one_of(ids, self._eos_ids)  # [B, M]
        # Those that have not ended, in their order, be their scores -inf.
        order = tf.range(self._num_candidates) + tf.where(
            has_ended, self._num_candidates, 0
        )
        chosen = tf.math.top_k(-order, self._group_len).indices
        running = self._rest(candidates.pick(chosen), group.is_done, index)
        group = self._finish_some(group, candidates, has_ended, index)
        return group._replace(running=running), pick_beams(beam_index, chosen)

    def _finish_some(self, group, candidates, has_ended, index):
        num_chosen = index + 2 - self._prompt_len
        is_first = tf.range(self._num_candidates) < self._group_len
        may_end = has_ended & is_first & ~group.is_done[:, None]
        scores = candidates.scores / self._penalty(num_chosen)
        ended = candidates._replace(scores=tf.where(may_end, scores, NEVER))
        best, is_finished = keep_best(
            self._group_len, (group.best, group.is_finished), (ended, may_end)
        )
        is_full = tf.reduce_all(is_finished, axis=1)
        if not self._stops_when_full:
            best_possible = candidates.scores[:, 0] / self._penalty.best_case(
                num_chosen
            )
            is_full &= tf.reduce_min(best.scores, axis=1) >= best_possible
        return group._replace(
            best=best, is_finished=is_finished, is_done=group.is_done | is_full
        )

    def _rest(self, running, is_done, index):
        # A group that is done waits for the others with padding and a score of 0; what
        # it takes still counts for their diversity.
        pads = tf.fill(tf.shape(running.scores), self._pad_id)
        padded = write_column(running.tokens, index + 1, pads)
        return running._replace(
            tokens=tf.where(is_done[:, None, None], padded, running.tokens),
            scores=tf.where(is_done[:, None], 0.0, running.scores),
        )

    def _is_open(self, groups, tokens, scores, index):
        all_done = tf.reduce_all(tf.stack([group.is_done for group in groups]))
        is_open = ~all_done & (index + 2 < self._limit)
        if self._stops is not None:
            self._stops.note(scores)
            flat = tf.reshape(tokens, [-1, self._length])  # [B * K, T]
            is_open &= ~tf.reduce_all(self._stops(flat, index + 2))
        return is_open

    def _with_open(self, group, num_chosen):
        scores = group.running.scores / self._penalty(num_chosen)
        is_open = tf.fill(tf.shape(scores), True) & ~group.is_done[:, None]
        still_open = group.running._replace(scores=tf.where(is_open, scores, NEVER))
        no_eos = tf.zeros_like(is_open)
        return keep_best(
            self._group_len, (group.best, group.is_finished), (still_open, no_eos)
        )
