"""Handing tokens over while others are still being generated."""

import contextlib

import numpy as np


def check_streamer(streamer, options):
    """Raises an error on a streamer that cannot work.

    Args:
        streamer: the streamer, or None.
        options: GenerationOptions.

    Raises:
        TypeError: if it has no `put` and `end`.
        ValueError: for a search that revises what it has found so far.
    """
    has_methods = all(callable(getattr(streamer, n, None)) for n in ("put", "end"))
    if streamer is not None and not has_methods:
        raise TypeError(
            f"`streamer` must have the methods `put` and `end`, got {streamer!r}. Use "
            "one of transformers' streamers, or write both."
        )
    if streamer is not None and options.mode not in ("greedy", "sample"):
        raise ValueError(
            f"`streamer` works with greedy search and sampling only, got "
            f"{options.mode.replace('_', ' ')} (num_beams={options.num_beams})."
        )


@contextlib.contextmanager
def stream_to(streamer, prompt_ids, width):
    """Gives the streamer the prompt now, the tokens as they come, and an end.

    Args:
        streamer: object with `put(NumPy int array)` and `end()`, such as transformers'
            TextStreamer and TextIteratorStreamer, or None.
        prompt_ids: int32[B, P].
        width: int, K.

    Yields:
        None, or a callable that passes on int32[B, K] as [B * K].
    """
    if streamer is None:
        yield None
        return
    streamer.put(np.repeat(np.asarray(prompt_ids), width, axis=0))
    try:
        yield lambda tokens: streamer.put(np.asarray(tokens).reshape(-1))
    finally:
        # Also after an error: whoever reads in another thread must not wait for ever.
        streamer.end()
