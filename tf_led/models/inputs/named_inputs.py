"""Calling a model the ways users do: by name, with one dict, or by position."""

import inspect
from collections.abc import Mapping

import tensorflow as tf
from transformers import BatchEncoding


class NamedInputs:
    """Lets the first argument of a layer's call be a dict of all inputs, or a list."""

    # AutoGraph would take longer to read this and what it calls than to trace it.
    @tf.autograph.experimental.do_not_convert
    def __call__(self, *args, **kwargs):
        """Unpacks the first argument and calls the layer."""
        args, kwargs = self._unpack(args, kwargs)
        return super().__call__(*args, **kwargs)

    def _unpack(self, args, kwargs):
        if not args:
            return args, kwargs
        first, rest = args[0], args[1:]
        if is_mapping(first):
            self._check_names(first, rest, kwargs)
            return rest, {**first, **kwargs}
        if _is_tensor_list(first):
            return (*first, *rest), kwargs
        if any(isinstance(value, (list, tuple)) for value in args):
            # Keras takes nested lists by name only.
            named = by_name(self, args)
            self._check_twice(named, kwargs)
            return (), {**named, **kwargs}
        return args, kwargs

    def _check_names(self, inputs, rest, kwargs):
        known = [name for name in inspect.signature(self.call).parameters]
        unknown = sorted(set(inputs) - set(known))
        if unknown:
            raise ValueError(
                f"The inputs hold {', '.join(map(repr, unknown))}, which "
                f"{type(self).__name__} does not take. It takes {', '.join(known)}."
            )
        if rest:
            raise ValueError(
                "A dict of inputs must be the only positional argument; got "
                f"{len(rest)} more."
            )
        self._check_twice(inputs, kwargs)

    def _check_twice(self, inputs, kwargs):
        twice = sorted(set(inputs) & set(kwargs))
        if twice:
            raise ValueError(
                f"The inputs {', '.join(map(repr, twice))} are given twice: in the "
                "first argument and by name. Give each once."
            )


def is_mapping(value):
    """Tells whether `value` is a dict of inputs, as a tokenizer returns one."""
    return isinstance(value, (Mapping, BatchEncoding))


def by_name(layer, inputs):
    """Names the inputs of a layer's call: a dict, one tensor, or a list in order."""
    if is_mapping(inputs):
        return dict(inputs)
    names = inspect.signature(layer.call).parameters
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    return dict(zip(names, inputs, strict=False))


def plain_dict(value):
    """Turns a tokenizer's `BatchEncoding` into a dict; other values stay."""
    return dict(value) if isinstance(value, BatchEncoding) else value


def _is_tensor_list(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(item is None or hasattr(item, "dtype") for item in value)
        and any(len(item.shape) > 1 for item in value if item is not None)
    )


def static_or_dynamic(tensor, axis):
    """The size of an axis: a Python int where it is known, else int32[]."""
    size = tensor.shape[axis]
    return tf.shape(tensor)[axis] if size is None else size
