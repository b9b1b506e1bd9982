"""The implementations of the encoder's windowed attention, by name.

A new one is a function in a file of its own in `tf_led/ops`, called as
`tf_led.ops.local_attention.local_attention`, and a row below.
"""

from tf_led.ops.local_attention import local_attention

ATTENTION_IMPLEMENTATIONS = {
    "loop": local_attention,
}


def get_attention(name):
    """Looks up an implementation of windowed attention.

    Args:
        name: string, one of `ATTENTION_IMPLEMENTATIONS`.

    Returns:
        Function called as `tf_led.ops.local_attention.local_attention`.

    Raises:
        ValueError: on any other name.

    Example:
        >>> from tf_led.ops.attention import get_attention
        >>> get_attention("loop").__name__
        'local_attention'
    """
    if name not in ATTENTION_IMPLEMENTATIONS:
        raise ValueError(
            f"`attention_implementation` is {name!r}; known are "
            f"{', '.join(ATTENTION_IMPLEMENTATIONS)}."
        )
    return ATTENTION_IMPLEMENTATIONS[name]
