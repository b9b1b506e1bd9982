"""What a user hands to `generate` as Python objects, streamers among them."""

import contextlib
from typing import Any, NamedTuple

import numpy as np

from tf_led.generation.processors.base import Processor


class PythonHooks(NamedTuple):
    """The Python objects of one call of `generate`.

    Args:
        logits_processor: list of callables and Processors, or None.
        stopping_criteria: list of callables, or None.
        prefix_allowed_tokens_fn: callable or None.
        streamer: object with `put` and `end`, or None.
        tokenizer: what decodes tokens for `stop_strings`, or None.
    """

    logits_processor: Any = None
    stopping_criteria: Any = None
    prefix_allowed_tokens_fn: Any = None
    streamer: Any = None
    tokenizer: Any = None

    def can_compile(self, options):
        """Tells whether a loop compiled for the options alone serves this call."""
        return not (self.names(options) or self.logits_processor)

    def check_graph(self, options):
        """Raises ValueError that names what needs Python at every token."""
        names = self.names(options)
        if names:
            raise ValueError(
                f"{', '.join(f'`{name}`' for name in names)} needs Python at every "
                "token, which a graph cannot run. Call `generate` eagerly, or leave it "
                "out."
            )

    def names(self, options):
        """Names what needs Python at every token."""
        found = {
            "max_time": options.max_time,
            "stop_strings": options.stop_strings,
            "stopping_criteria": self.stopping_criteria or None,
            "prefix_allowed_tokens_fn": self.prefix_allowed_tokens_fn,
            "streamer": self.streamer,
        }
        names = [name for name, value in found.items() if value is not None]
        custom = self.logits_processor or ()
        is_list = isinstance(custom, (list, tuple))
        if not is_list or not all(map(_runs_in_graphs, custom)):
            names.append("logits_processor")
        return names


def _runs_in_graphs(processor):
    return isinstance(processor, Processor) and not processor.needs_python


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
