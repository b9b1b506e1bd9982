"""The options of `generate`: names, defaults, checks, how they are resolved."""

from tf_led.generation.options.generation_options import (
    GenerationOptions,
    _rebuild,  # options that version 0.1 pickled name it here
)

__all__ = ["GenerationOptions", "_rebuild"]
