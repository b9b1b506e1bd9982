"""A user's own processors among those that the options ask for."""

import warnings

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.python_only import CustomProcessor


def as_processor(custom):
    """Makes a processor of what a user gave.

    Args:
        custom: a `Processor`, which stays what it is and runs in graphs too, or a
            callable (input_ids, scores) -> scores.

    Returns:
        Processor.

    Raises:
        TypeError: if `custom` is not callable, or one of transformers' own classes,
            which compute in torch.

    Example:
        >>> from tf_led.generation.processors import as_processor
        >>> halve = as_processor(lambda input_ids, scores: scores / 2)
        >>> halve([[4.0, 2.0]], [[0]], 1).numpy().tolist()
        [[2.0, 1.0]]
    """
    if isinstance(custom, Processor):
        return custom
    kind = type(custom)
    if isinstance(custom, type):
        raise TypeError(
            f"`logits_processor` holds the class {custom.__name__}, not a processor. "
            "Make one of it: call the class."
        )
    if kind.__module__.startswith("transformers."):
        raise TypeError(
            f"`logits_processor` holds {kind.__name__} of transformers, which computes "
            "in torch. Set the option it stands for, or use its namesake from "
            "`tf_led.generation.processors`."
        )
    return CustomProcessor(custom)


def merge_processors(defaults, custom):
    """Puts a user's processors among those that the options ask for.

    One of a type that the options ask for too takes its place, with a warning; the
    others follow at the end.

    Args:
        defaults: list of Processor, in order.
        custom: None, or sequence of what `as_processor` takes.

    Returns:
        list of Processor.

    Raises:
        TypeError: if `custom` is not a sequence, or holds what is no processor.

    Source: transformers 5.23, `_merge_criteria_processor_list`.

    Example:
        >>> from tf_led.generation.processors import TopK, merge_processors
        >>> merged = merge_processors([TopK(5)], [lambda input_ids, scores: scores])
        >>> [type(one).__name__ for one in merged]
        ['TopK', 'CustomProcessor']
    """
    if not isinstance(custom or [], (list, tuple)):
        raise TypeError(
            f"`logits_processor` must be a list, got {custom!r}. Put it in a list."
        )
    once = []
    for one in custom or []:
        once += [one] if one not in once else []
    custom = [as_processor(one) for one in once]
    merged = [_own_version(default, custom) for default in defaults]
    return merged + [one for one in custom if one not in merged]


def _own_version(default, custom):
    for one in custom:
        if type(one) is type(default):
            warnings.warn(
                f"`logits_processor` holds a {type(one).__name__}, which the options "
                "ask for too; the one in `logits_processor` is used.",
                UserWarning,
                stacklevel=4,
            )
            return one
    return default
