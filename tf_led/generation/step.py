"""The one thing that generation knows of a model: its step function."""

from typing import Any, NamedTuple

import tensorflow as tf


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
