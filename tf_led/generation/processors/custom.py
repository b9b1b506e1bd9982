"""A user's own processors among those that the options request."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tf_led.generation.processors.base import Processor


def _require_eager(name):
    if not tf.executing_eagerly():
        raise ValueError(
            f"`{name}` runs Python at every token, which a graph cannot. Call "
            "`generate` eagerly, outside of `tf.function` and SavedModels."
        )


def _require_callable(name, value):
    if not callable(value):
        raise TypeError(f"`{name}` must be callable, got {value!r}. Give a function.")


@dataclass(frozen=True, eq=False)
class PrefixAllowedTokens(Processor):
    """Allows only the tokens that a function names for what is there so far.

    Where all the function allows is forbidden already, for every beam of a document,
    the function wins.

    Args:
        prefix_allowed_tokens_fn: callable (document: int, tokens: int32[length]) ->
            sequence of int, the ids that may follow; at least one.
        num_beams: int, the rows per document.

    Raises:
        TypeError: if it is not callable.
        ValueError: on a call, if it returns no id, or one that the vocabulary does not
            have, or in a graph.

    Source: transformers' `PrefixConstrainedLogitsProcessor`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import PrefixAllowedTokens
        >>> rule = PrefixAllowedTokens(lambda document, tokens: [1], num_beams=1)
        >>> rule([[0.5, 0.75]], [[0]], 1).numpy().tolist()
        [[-inf, 0.75]]
    """

    needs_python: ClassVar[bool] = True
    given_as: ClassVar[str] = "prefix_allowed_tokens_fn"

    prefix_allowed_tokens_fn: Callable[[int, Any], Sequence[int]]
    num_beams: int

    def __post_init__(self):
        _require_callable("prefix_allowed_tokens_fn", self.prefix_allowed_tokens_fn)

    def process(self, scores, tokens, length):
        _require_eager("prefix_allowed_tokens_fn")
        mask = np.full(scores.shape, -np.inf, np.float32)
        for row in range(len(mask)):
            mask[row, self._allowed(row, tokens[row, :length], len(mask[row]))] = 0
        kept = scores + mask
        best = tf.reshape(tf.reduce_max(kept, -1), [-1, self.num_beams])  # [B, K]
        is_hopeless = tf.reduce_all(best == -np.inf, axis=-1)
        return tf.where(tf.repeat(is_hopeless, self.num_beams)[:, None], mask, kept)

    def _allowed(self, row, tokens, vocab_size):
        document = row // self.num_beams
        allowed = np.asarray(self.prefix_allowed_tokens_fn(document, tokens)).ravel()
        is_valid = allowed.dtype.kind in "iu" and np.all(
            (allowed >= 0) & (allowed < vocab_size)
        )
        if not allowed.size or not is_valid:
            raise ValueError(
                "`prefix_allowed_tokens_fn` must return at least one id from 0 to "
                f"{vocab_size - 1}, got {allowed.tolist()} for document {document}. "
                "Return the end token where nothing else may follow."
            )
        return allowed


@dataclass(frozen=True, eq=False)
class CustomProcessor(Processor):
    """Calls a processor that a user wrote as transformers' are written.

    Args:
        fn: callable (input_ids: int32[X, length], scores: float32[X, V]) ->
            float32[X, V], of TensorFlow tensors or what converts to them. With a third
            parameter `cur_len`, as the TensorFlow classes of transformers 4 had it, it
            gets the length too, an int.

    Raises:
        TypeError: if `fn` is not callable.
        ValueError: on a call, if the result has another shape, or in a graph.

    Source: `logits_processor` of transformers' `generate`; the call is `Processor`'s.

    Example:
        >>> from tf_led.generation.processors import CustomProcessor
        >>> negate = CustomProcessor(lambda input_ids, scores: -scores)
        >>> negate([[0.5, 0.75]], [[0]], 1).numpy().tolist()
        [[-0.5, -0.75]]
    """

    needs_python: ClassVar[bool] = True
    given_as: ClassVar[str] = "logits_processor"

    fn: Callable[..., Any]

    def __post_init__(self):
        _require_callable("logits_processor", self.fn)

    def process(self, scores, tokens, length):
        _require_eager("logits_processor")
        takes_length = _has_parameter(self.fn, "cur_len")
        more = {"cur_len": int(length)} if takes_length else {}
        result = self.fn(tokens[:, :length], scores, **more)
        shape = np.shape(result)
        if result is None or shape != tuple(scores.shape):
            raise ValueError(
                f"`logits_processor` {self.fn!r} must return scores of shape "
                f"{tuple(scores.shape)}, got {'None' if result is None else shape}. "
                "Return the changed scores."
            )
        return tf.cast(tf.convert_to_tensor(result), scores.dtype)


def _has_parameter(fn, name):
    try:
        parameter = inspect.signature(fn).parameters.get(name)
        return parameter is not None and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
    except (TypeError, ValueError):  # not every built-in function has a signature
        return False


def as_processor(custom: Processor | Callable[..., Any]) -> Processor:
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


def merge_processors(
    defaults: list[Processor], custom: Sequence[Any] | None
) -> list[Processor]:
    """Puts a user's processors among those that the options request.

    One of a type that the options request too takes its place, with a warning; the
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
                "request too; the one in `logits_processor` is used.",
                UserWarning,
                stacklevel=4,
            )
            return one
    return default
