"""The decoding loop, the same for every way of choosing tokens."""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_led.generation.search.beam_cache import own_slots, pick_slots

# The extras of a step that each `output_...` option keeps.
_EXTRAS = {
    "attentions": ("decoder_attentions", "cross_attentions"),
    "hidden_states": ("decoder_hidden_states",),
}


class Recorder:
    """Decides what to keep, and keeps it in arrays with one entry per step.

    Args:
        options: GenerationOptions; what `return_dict_in_generate` and `output_...` ask
            for is kept.
        search: Search.
        prompt_len: int, P.
        length: int, T.
    """

    def __init__(self, options, search, *, prompt_len, length):
        self.length = length
        self._prompt_len = prompt_len
        self._num_recorded = search.num_recorded
        self._num_moves = length - prompt_len + search.extra_reads
        self._choices = [
            name for name in ("scores", "logits") if options.asks_for(name)
        ]
        self._extras = [
            extra
            for option, extras in _EXTRAS.items()
            if options.asks_for(option)
            for extra in extras
        ]

    def start(self):
        """Makes the empty arrays.

        Returns:
            Dict of TensorArrays: of "scores" and "logits" one entry for each step from
            that which reads the last token of the prompt, of each extra one entry for
            each position.
        """
        sizes = dict.fromkeys(self._choices, self._num_moves)
        sizes |= dict.fromkeys(self._extras, self._num_moves + self._prompt_len - 1)
        return {
            name: tf.TensorArray(tf.float32, size, clear_after_read=False)
            for name, size in sizes.items()
        }

    def write_move(self, records, index, out, move):
        """Keeps a step that chose tokens.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            out: StepOutput.
            move: Move.

        Returns:
            Dict of TensorArrays.
        """
        given = {"scores": move.scores, "logits": out.logits}
        if move.slots is not None:
            given["logits"] = pick_slots(out.logits, move.slots)
        entry = index - (self._prompt_len - 1)
        written = {
            name: records[name].write(entry, given[name]) for name in self._choices
        }
        for name in self._extras:
            layers = _layers(out.extras, name)
            if move.slots is not None:
                layers = [pick_slots(layer, move.slots) for layer in layers]
            written[name] = records[name].write(index, _stack(layers))
        return {**records, **written}

    def write_prompt(self, records, index, extras):
        """Keeps a step that only read a token of the prompt.

        Args:
            records: dict of TensorArrays.
            index: int32[], the position that the step read.
            extras: dict, see `StepOutput`.

        Returns:
            Dict of TensorArrays, whose entries are [L, B, M, ...].
        """
        written = {}
        for name in self._extras:
            # All slots still hold the same.
            layers = [layer[:, : self._num_recorded] for layer in _layers(extras, name)]
            written[name] = records[name].write(index, _stack(layers))
        return {**records, **written}


def _layers(extras, name):
    if name not in extras:
        raise ValueError(
            f"`{name}` is asked for, but the step function returned only "
            f"{sorted(extras)}. Make it return `{name}`."
        )
    return extras[name]


def _stack(layers):
    return tf.cast(tf.stack(layers), tf.float32)  # [L, B, M, ...]


class StepOutput(NamedTuple):
    """What a step function returns.

    A step function reads one token of every hypothesis:

        step(token_ids, index, ancestors, token_mask, cache) -> StepOutput

    - `token_ids`: int32[B, K], the tokens at position `index`.
    - `index`: int32[], their position in the decoder sequence.
    - `ancestors`: int32[B, K, T]. The cache is never reordered: what beam slot `j`
      wrote at time `t` stays at `[t, :, j]`. The hypothesis now in slot `k` finds the
      keys and values of its token at time `t <= index` in slot `ancestors[b, k, t]`;
      `ancestors[b, k, index]` is `k`. Entries after `index` mean nothing.
    - `token_mask`: bool[B, T]. False = a padding token of the decoder prompt.
    - `cache`: what the previous step returned, a nest of tensors of fixed shapes.

    A step function with an attribute `needs_tokens` that is true is called with a
    keyword `tokens`, int32[B, K, T], too: the whole sequence of every hypothesis, whose
    entries after `index` mean nothing. It can then do without the cache and the
    ancestors (`use_cache=False`).

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


def call_step(step, *, tokens, index, ancestors, token_mask, cache):
    """Reads the tokens at `index` with a step function.

    Args:
        step: the step function, see `StepOutput`.
        tokens: int32[B, K, T], the sequences.
        index: int32[], the position to read.
        ancestors: int32[B, K, T].
        token_mask: bool[B, T].
        cache: nest of tensors.

    Returns:
        StepOutput with float32 logits, and a cache of the same static shapes.
    """
    more = {"tokens": tokens} if getattr(step, "needs_tokens", False) else {}
    token_ids = tf.gather(tokens, index, axis=2)
    out = step(token_ids, index, ancestors, token_mask, cache, **more)
    kept = tf.nest.map_structure(
        lambda new, old: tf.ensure_shape(new, old.shape), out.cache, cache
    )
    return StepOutput(tf.cast(out.logits, tf.float32), kept, dict(out.extras))


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
