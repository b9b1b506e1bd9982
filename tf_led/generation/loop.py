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


class Found(NamedTuple):
    """What a search found; R = B * `num_return_sequences`.

    Args:
        sequences: int32[R, T], padded.
        length: int32[], of the longest sequence, prompt included.
        scores: float32[R], or None.
        origins: int32[R, T - P], see `Hypotheses`, or None.
    """

    sequences: Any
    length: Any
    scores: Any = None
    origins: Any = None


class Move(NamedTuple):
    """What a search answers to the logits of one step.

    Args:
        tokens: int32[B, K, T], with the next tokens at `index + 1`.
        ancestors: int32[B, K, T], with each slot's own number at `index + 1`.
        search: the search's own nest of tensors.
        scores: float32[B, K, V] from which the tokens were chosen.
        is_open: bool[], False when everything has been generated.
    """

    tokens: Any
    ancestors: Any
    search: Any
    scores: Any
    is_open: Any


def run_loop(
    step, cache, search, *, prompt_ids, prompt_mask, length, recorder, on_token
):
    """Reads the prompt, then chooses one token after another until the search is done.

    Args:
        step: the step function, see `StepOutput`.
        cache: nest of tensors of fixed shapes.
        search: object with `width` (int, K), `start(tokens int32[B, K, T])` -> its nest
            of tensors and `advance(logits, extras, state)` -> Move.
        prompt_ids: int32[B, P].
        prompt_mask: bool[B, P].
        length: int > P, the greatest length T.
        recorder: Recorder.
        on_token: None, or a callable that gets the tokens int32[B, K] just chosen; it
            runs in Python, so eagerly only.

    Returns:
        LoopState after the last step; `index` is the number of positions read.
    """
    batch_size, prompt_len = tf.shape(prompt_ids)[0], prompt_ids.shape[1]
    token_mask = _pad_columns(prompt_mask, length, True)  # [B, T]
    tokens = _repeat(_pad_columns(prompt_ids, length, 0), search.width)
    first = LoopState(
        index=tf.constant(0),
        tokens=tokens,
        ancestors=own_slots(batch_size, search.width, length),
        cache=cache,
        search=search.start(tokens),
        records=recorder.start(),
        is_open=tf.constant(True),
    )

    def read(state):
        out = call_step(
            step,
            tokens=state.tokens,
            index=state.index,
            ancestors=state.ancestors,
            token_mask=token_mask,
            cache=state.cache,
        )
        records = recorder.write_extras(state.records, state.index, out.extras)
        return out, state._replace(cache=out.cache, records=records)

    def read_prompt(state):
        _, state = read(state)
        return [state._replace(index=state.index + 1)]

    def choose(state):
        out, state = read(state)
        move = search.advance(out.logits, out.extras, state)
        records = recorder.write_choice(
            state.records, state.index, logits=out.logits, scores=move.scores
        )
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

    # One step needs the one before: nothing can run in parallel, and buffers are
    # updated in place.
    loop = {"parallel_iterations": 1}
    if prompt_len > 1:
        is_prompt = lambda state: state.index < prompt_len - 1  # noqa: E731
        (first,) = tf.while_loop(is_prompt, read_prompt, [first], **loop)
    return tf.while_loop(lambda state: state.is_open, choose, [first], **loop)[0]


def _like(new, old):
    return tf.ensure_shape(new, old.shape)


def _pad_columns(rows, length, value):
    return tf.pad(rows, [[0, 0], [0, length - rows.shape[1]]], constant_values=value)


def _repeat(rows, width):
    return tf.tile(rows[:, None], [1, width, 1])  # [B, K, T]
