"""Contrastive search: likely tokens that do not repeat what was said."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.search.base import Search, SearchResult, StepResult
from tf_led.generation.search.greedy_and_sampling import apply_processors, is_one_of
from tf_led.generation.search.hypotheses import extend_history, pick_beams, write_column
from tf_led.ops.control_flow import on_host


class Contrast(NamedTuple):
    """Where a contrastive search stands.

    Args:
        probs: float32[B, K], how likely the candidates are.
        directions: TensorArray of float32[B, D], one per position: the hidden state of
            the token there, of length 1.
        is_finished: bool[B].
    """

    probs: Any
    directions: Any
    is_finished: Any


class ContrastiveSearch(Search):
    """Reads the K likeliest tokens, then goes on with the best of them.

    A candidate is better the likelier it is, and the less its hidden state resembles
    that of any token before. The K candidates of a document are its K beams, so that
    the beam history names the one chosen. The step function has to return
    "decoder_hidden_states".

    Args:
        options: GenerationOptions.
        prompt_len: int, P.
        length: int, T.
        prompt_mask: bool[B, P]; candidates are not compared with masked tokens.
        processors: logits processors.
        stops: None, or a PythonStops.

    Source: A Contrastive Framework for Neural Text Generation (arXiv 2202.06417), in
    PyTorch `transformers-community/contrastive-search`.
    """

    # The last token is chosen among candidates that have been read.
    extra_reads = 1

    def __init__(
        self, options, *, prompt_len, length, prompt_mask, processors=(), stops=None
    ):
        self.width = options.top_k
        self._alpha = options.penalty_alpha
        self._eos_ids = options.eos_token_ids
        self._pad_id = options.padding_id
        self._prompt_len = prompt_len
        self._length = length
        self._limit = options.length_limit(prompt_len)
        self._mask = tf.pad(
            prompt_mask, [[0, 0], [0, length - prompt_len]], constant_values=True
        )
        self._processors = processors
        self._stops = stops

    def start(self, tokens):
        """See `Search`; its state is a Contrast."""
        return Contrast(
            probs=tf.zeros(tf.shape(tokens)[:2]),
            directions=tf.TensorArray(tf.float32, self._length, clear_after_read=False),
            is_finished=tf.zeros_like(tokens[:, 0, 0], tf.bool),
        )

    def observe(self, extras, state):
        """See `Search`."""
        first = _directions(extras)[:, 0]
        directions = state.search.directions.write(state.index, first)
        return state.search._replace(directions=directions)

    def advance(self, logits, extras, state):
        """See `Search`."""
        beam_index, directions = self._choose(_directions(extras), state)  # [B, 1]
        with on_host():
            tokens, is_finished = self._fix_chosen(beam_index, state)
        scores = apply_processors(
            self._processors, pick_beams(logits, beam_index), tokens, state.index + 1
        )  # [B, 1, V]
        if self._stops is not None:
            self._stops.note(scores)
        self._check_width(scores.shape[-1])
        probs, ids = tf.math.top_k(tf.nn.softmax(scores[:, 0]), self.width)
        with on_host():
            tokens = tf.tile(tokens, [1, self.width, 1])
            all_beams = tf.tile(beam_index, [1, self.width])
            next_index = state.index + 1
            return StepResult(
                tokens=write_column(tokens, next_index, ids),
                beam_history=extend_history(state.beam_history, all_beams, next_index),
                search=Contrast(probs, directions, is_finished),
                scores=scores,
                is_open=~tf.reduce_all(is_finished) & (next_index < self._limit),
                beam_index=beam_index,
            )

    def finish(self, state):
        """See `Search`."""
        state.search.directions.close()
        length = state.index
        is_chosen = tf.range(self._length) < length
        sequences = tf.where(is_chosen, state.tokens[:, 0], self._pad_id)
        return SearchResult(sequences, length, length - self._prompt_len)

    def _check_width(self, vocab_size):
        if self.width > vocab_size:
            raise ValueError(
                f"`top_k` is {self.width}, but contrastive search reads `top_k` "
                f"tokens and the vocabulary has {vocab_size}. Lower `top_k`."
            )

    def _choose(self, candidates, state):
        # At the end of the prompt all beams hold the same token: any will do. Writing
        # it before reading makes the shape of the array known.
        known, index = state.search, state.index
        written = known.directions.write(index, candidates[:, 0])
        before = tf.transpose(written.stack(), [1, 0, 2])  # [B, T, D]
        likeness = tf.einsum("bkd,btd->bkt", candidates, before)
        is_before = (tf.range(self._length) < index) & self._mask  # [B, T]
        likeness = tf.where(is_before[:, None], likeness, likeness.dtype.min)
        worst = tf.reduce_max(likeness, axis=-1)  # [B, K]
        worth = (1 - self._alpha) * known.probs - self._alpha * worst
        best = tf.argmax(worth, axis=1, output_type=tf.int32)[:, None]
        beam_index = tf.where(index < self._prompt_len, 0, best)
        chosen = pick_beams(candidates, beam_index)[:, 0]
        return beam_index, written.write(index, chosen)

    def _fix_chosen(self, beam_index, state):
        is_finished, index = state.search.is_finished, state.index
        tokens = pick_beams(state.tokens, beam_index)  # [B, 1, T]
        newest = tf.gather(tokens[:, 0], index, axis=1)
        is_new = index >= self._prompt_len
        if self._eos_ids:
            newest = tf.where(is_finished & is_new, self._pad_id, newest)
            is_finished |= is_one_of(newest, self._eos_ids) & is_new
        tokens = write_column(tokens, index, newest[:, None])
        if self._stops is not None and is_new:
            is_finished |= self._stops(tokens[:, 0], index + 1)
        return tokens, is_finished


def _directions(extras):
    hidden = extras.get("decoder_hidden_states")
    if hidden is None:
        raise ValueError(
            "Contrastive search needs `decoder_hidden_states`, but the step function "
            f"returned only {sorted(extras)}. Make it return them."
        )
    last = tf.cast(hidden[-1][:, :, 0], tf.float32)  # [B, K, D]
    return last / tf.norm(last, axis=-1, keepdims=True)
