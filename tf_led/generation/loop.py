"""The decoding loop, the same for every way of choosing tokens."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.search.hypotheses import own_beams
from tf_led.ops.control_flow import on_host


class StepOutput(NamedTuple):
    """What a step function returns.

    A step function reads one token of every hypothesis:

        step(token_ids, index, beam_history, token_mask, cache) -> StepOutput

    - `token_ids`: int32[B, K], the tokens at position `index`.
    - `index`: int32[], their position in the decoder sequence.
    - `beam_history`: int32[B, K, T]. The cache is never reordered: what beam `j` wrote
      at time `t` stays at `[t, :, j]`. The hypothesis that is beam `k` now finds the
      keys and values of its token at time `t <= index` under beam
      `beam_history[b, k, t]`;
      `beam_history[b, k, index]` is `k`. Entries after `index` mean nothing.
    - `token_mask`: bool[B, T]. False = a padding token of the decoder prompt.
    - `cache`: what the previous step returned, a nest of tensors of fixed shapes.

    A step function with an attribute `needs_tokens` that is true is called with a
    keyword `tokens`, int32[B, K, T], too: the whole sequence of every hypothesis, whose
    entries after `index` mean nothing. It can then do without the cache and the
    beam history (`use_cache=False`).

    A step function with an attribute `reads_several` that is true also takes
    `token_ids` int32[B, K, M], the tokens from position `index` on, and then returns
    logits float[B, K, M, V] and extras with M in the place of 1.

    One with a method `grow(cache, length)` may start with a cache of fewer positions
    than T, which `cache_length(cache)` tells (an int, or int32[] where the shape leaves
    it open); the loop makes it grow when it is full.

    Args:
        logits: float[B, K, V], scores of the next token.
        cache: nest of tensors, of the structure, shapes and dtypes that came in.
        extras: dict of what the step was made to return besides, tensors or tuples of
            tensors, one per layer: "decoder_attentions" float[B, K, N, 1, T],
            "cross_attentions" float[B, K, N, 1, S], "decoder_hidden_states"
            float[B, K, 1, D], with the dict's keys the same at every step.
    """

    logits: Any
    cache: Any
    extras: dict


def call_step(step, *, token_ids, index, tokens, beam_history, token_mask, cache):
    """Reads tokens with a step function.

    Args:
        step: the step function, see `StepOutput`.
        token_ids: int32[B, K], or int32[B, K, M].
        index: int32[], the position of the first.
        tokens: int32[B, K, T], the sequences.
        beam_history: int32[B, K, T].
        token_mask: bool[B, T].
        cache: nest of tensors.

    Returns:
        StepOutput with float32 logits, and a cache of the same static shapes.
    """
    more = {"tokens": tokens} if getattr(step, "needs_tokens", False) else {}
    out = step(token_ids, index, beam_history, token_mask, cache, **more)
    kept = tf.nest.map_structure(with_shape_of, out.cache, cache)
    return StepOutput(tf.cast(out.logits, tf.float32), kept, dict(out.extras))


class LoopState(NamedTuple):
    """What one step of decoding hands to the next.

    Args:
        index: int32[], the position to read next.
        tokens: int32[B, K, T]; entries after `index` mean nothing.
        beam_history: int32[B, K, T], see `StepOutput`.
        cache: nest of tensors.
        search: the search's own nest of tensors.
        step_outputs: dict of TensorArrays, see `OutputCollector`.
        drafts: what drafts keep from one step to the next, a nest of tensors.
        is_open: bool[], False when everything has been generated.
    """

    index: Any
    tokens: Any
    beam_history: Any
    cache: Any
    search: Any
    step_outputs: Any
    drafts: Any
    is_open: Any


class DecodingLoop:
    """Reads the prompt, then chooses one token after another until the search is done.

    Args:
        step: the step function, see `StepOutput`.
        search: Search.
        prompt_mask: bool[B, P], with static P.
        collector: OutputCollector, which knows the length T of the buffers.
        drafts: None, or a PromptLookup or AssistantDrafts, whose drafts the step
            function reads along.
        on_token: None, or a callable that gets the tokens int32[B, K] just chosen; it
            runs in Python, so eagerly only.
    """

    def __init__(
        self, step, search, *, prompt_mask, collector, drafts=None, on_token=None
    ):
        self._step, self._search, self._collector = step, search, collector
        self._drafts, self._on_token = drafts, on_token
        self._prompt_len, self._length = prompt_mask.shape[1], collector.length
        self._token_mask = _pad_columns(prompt_mask, self._length, True)  # [B, T]
        self._choose = self._choose_one if drafts is None else self._choose_several
        self._num_read = 1 if drafts is None else drafts.num_tokens + 1

    def run(self, cache, prompt_ids):
        """Runs the loop.

        Args:
            cache: nest of tensors, see `StepOutput`.
            prompt_ids: int32[B, P].

        Returns:
            LoopState after the last step; `index` is the number of positions read.
        """
        state = self._first_state(cache, prompt_ids)
        if self._prompt_len > 1:
            last = self._prompt_len - 1
            state = _repeat(self._read_prompt, state, lambda state: state.index < last)
        if not self._is_growing(cache):
            return _repeat(self._choose, state, lambda state: state.is_open)
        return _repeat(self._fill_cache, state, lambda state: state.is_open)

    def _first_state(self, cache, prompt_ids):
        width, length = self._search.width, self._length
        padded = _pad_columns(prompt_ids, length, 0)  # [B, T]
        tokens = tf.tile(padded[:, None], [1, width, 1])  # [B, K, T]
        history = own_beams(tf.shape(tokens)[0], width, length)
        return LoopState(
            index=tf.constant(0),
            tokens=tokens,
            beam_history=history,
            cache=cache,
            search=self._search.start(tokens),
            step_outputs=self._collector.start(),
            drafts=self._start_drafts(tokens, history),
            is_open=tf.constant(True),
        )

    def _start_drafts(self, tokens, beam_history):
        if self._drafts is None:
            return ()
        given = (beam_history, self._token_mask, self._prompt_len)
        return self._drafts.start(tokens, *given)

    def _is_growing(self, cache):
        if getattr(self._step, "grow", None) is None:
            return False
        size = self._step.cache_length(cache)
        return not (isinstance(size, int) and size == self._length)

    def _fill_cache(self, state):
        """Chooses tokens until the cache is full, which is made larger before."""
        size = self._step.cache_length(state.cache)
        is_full = state.index + self._num_read > size
        size = tf.minimum(tf.where(is_full, 2 * size, size), self._length)
        state = state._replace(cache=self._step.grow(state.cache, size))
        return _repeat(
            self._choose,
            state,
            lambda state: state.is_open & (state.index + self._num_read <= size),
        )

    def _read(self, state, token_ids):
        out = call_step(
            self._step,
            token_ids=token_ids,
            index=state.index,
            tokens=state.tokens,
            beam_history=state.beam_history,
            token_mask=self._token_mask,
            cache=state.cache,
        )
        return out, state._replace(cache=out.cache)

    def _read_prompt(self, state):
        out, state = self._read(state, _newest(state))
        written = self._collector.write_prompt(
            state.step_outputs, state.index, out.extras
        )
        return state._replace(
            index=state.index + 1,
            search=self._search.observe(out.extras, state),
            step_outputs=written,
        )

    def _choose_one(self, state):
        out, state = self._read(state, _newest(state))
        return self._advance(state, out)

    def _choose_several(self, state):
        """Reads drafts along, and goes on for as long as they are what is chosen."""
        # [B, K, M - 1]
        drafts, kept = self._drafts.propose(state.tokens, state.index, state.drafts)
        state = state._replace(
            drafts=tf.nest.map_structure(with_shape_of, kept, state.drafts)
        )
        with on_host():
            # A finished hypothesis goes on with padding.
            drafts = tf.where(state.search[..., None], self._search.pad_id, drafts)
            given = tf.concat([_newest(state)[..., None], drafts], axis=2)
            # After the last draft nothing more has been read: no token agrees with -1.
            drafts = tf.pad(drafts, [[0, 0], [0, 0], [0, 1]], constant_values=-1)
        out, state = self._read(state, given)

        def advance(state, number, _):
            state = self._advance(state, _pick_read(out, number))
            with on_host():
                is_draft = _newest(state) == tf.gather(drafts, number, axis=2)
                agrees = tf.reduce_all(is_draft) & state.is_open
            return state, number + 1, agrees & (number < self._drafts.num_tokens)

        start = (state, tf.constant(0), tf.constant(True))
        state, _, _ = tf.while_loop(
            lambda state, number, agrees: agrees, advance, start, parallel_iterations=1
        )
        return state

    def _advance(self, state, out):
        result = self._search.advance(out.logits, out.extras, state)
        written = self._collector.write_step(
            state.step_outputs, state.index, out, result
        )
        if self._on_token is not None:
            self._on_token(tf.gather(result.tokens, state.index + 1, axis=2))
        return state._replace(
            index=state.index + 1,
            tokens=with_shape_of(result.tokens, state.tokens),
            beam_history=with_shape_of(result.beam_history, state.beam_history),
            search=tf.nest.map_structure(with_shape_of, result.search, state.search),
            step_outputs=written,
            is_open=result.is_open,
        )


def _repeat(body, state, condition):
    # One step needs the one before: nothing can run in parallel, and buffers are
    # updated in place.
    (state,) = tf.while_loop(
        condition, lambda state: [body(state)], [state], parallel_iterations=1
    )
    return state


def _newest(state):
    """The tokens at the state's index, int32[B, K]."""
    with on_host():
        return tf.gather(state.tokens, state.index, axis=2)


def _pick_read(out, number):
    """The output of one of the tokens that were read together."""
    extras = tf.nest.map_structure(
        lambda extra: tf.gather(extra, [number], axis=-2), out.extras
    )
    return out._replace(logits=tf.gather(out.logits, number, axis=2), extras=extras)


def with_shape_of(new, old):
    """A loop's new value, with the static shape that the loop began with."""
    if isinstance(new, tf.TensorArray):
        return new
    return tf.ensure_shape(new, old.shape)


def _pad_columns(rows, length, value):
    return tf.pad(rows, [[0, 0], [0, length - rows.shape[1]]], constant_values=value)
