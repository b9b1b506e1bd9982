"""The decoding loop, the same for every way of choosing tokens."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.ancestry import own_slots
from tf_led.generation.step import call_step


class LoopState(NamedTuple):
    """What one step of decoding hands to the next.

    Args:
        index: int32[], the position to read next.
        tokens: int32[B, K, T]; entries after `index` mean nothing.
        ancestors: int32[B, K, T], see `StepOutput`.
        cache: nest of tensors.
        search: nest of tensors that only the search knows.
        records: dict of TensorArrays, see `Recorder`.
        is_open: bool[], False when everything has been generated.
    """

    index: Any
    tokens: Any
    ancestors: Any
    cache: Any
    search: Any
    records: Any
    is_open: Any


def run_loop(step, cache, search, *, prompt_ids, prompt_mask, recorder, on_token):
    """Reads the prompt, then chooses one token after another until the search is done.

    Args:
        step: the step function, see `StepOutput`.
        cache: nest of tensors of fixed shapes.
        search: Search.
        prompt_ids: int32[B, P].
        prompt_mask: bool[B, P].
        recorder: Recorder, which knows the greatest length T.
        on_token: None, or a callable that gets the tokens int32[B, K] just chosen; it
            runs in Python, so eagerly only.

    Returns:
        LoopState after the last step; `index` is the number of positions read.
    """
    length, prompt_len = recorder.length, prompt_ids.shape[1]
    token_mask = _pad_columns(prompt_mask, length, True)  # [B, T]

    def read(state):
        out = call_step(
            step,
            tokens=state.tokens,
            index=state.index,
            ancestors=state.ancestors,
            token_mask=token_mask,
            cache=state.cache,
        )
        return out, state._replace(cache=out.cache)

    def read_prompt(state):
        out, state = read(state)
        known = search.observe(out.extras, state)
        records = recorder.write_prompt(state.records, state.index, out.extras)
        return [state._replace(index=state.index + 1, search=known, records=records)]

    def choose(state):
        out, state = read(state)
        move = search.advance(out.logits, out.extras, state)
        records = recorder.write_move(state.records, state.index, out, move)
        if on_token is not None:
            on_token(tf.gather(move.tokens, state.index + 1, axis=2))
        return [
            LoopState(
                index=state.index + 1,
                tokens=_like(move.tokens, state.tokens),
                ancestors=_like(move.ancestors, state.ancestors),
                cache=state.cache,
                search=tf.nest.map_structure(_like, move.search, state.search),
                records=records,
                is_open=move.is_open,
            )
        ]

    state = _first_state(cache, search, prompt_ids, recorder)
    # One step needs the one before: nothing can run in parallel, and buffers are
    # updated in place.
    if prompt_len > 1:
        (state,) = tf.while_loop(
            lambda state: state.index < prompt_len - 1,
            read_prompt,
            [state],
            parallel_iterations=1,
        )
    (state,) = tf.while_loop(
        lambda state: state.is_open, choose, [state], parallel_iterations=1
    )
    return state


def _first_state(cache, search, prompt_ids, recorder):
    padded = _pad_columns(prompt_ids, recorder.length, 0)  # [B, T]
    tokens = tf.tile(padded[:, None], [1, search.width, 1])  # [B, K, T]
    return LoopState(
        index=tf.constant(0),
        tokens=tokens,
        ancestors=own_slots(tf.shape(tokens)[0], search.width, recorder.length),
        cache=cache,
        search=search.start(tokens),
        records=recorder.start(),
        is_open=tf.constant(True),
    )


def _like(new, old):
    if isinstance(new, tf.TensorArray):
        return new
    return tf.ensure_shape(new, old.shape)


def _pad_columns(rows, length, value):
    return tf.pad(rows, [[0, 0], [0, length - rows.shape[1]]], constant_values=value)
