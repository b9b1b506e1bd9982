"""What a user hands to `generate` as Python objects, called at every token."""

from typing import Any, NamedTuple

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
