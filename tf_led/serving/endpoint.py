"""From a function of named tensors to signatures that any loader can call."""

import inspect
from typing import Any, NamedTuple

import tensorflow as tf

INT64_SUFFIX = "_int64"


class Input(NamedTuple):
    """One input of an endpoint.

    Args:
        name: str.
        dtype: tf.DType; ids are int64, and offered as int32 too.
        shape: list of None and ints; [None, ...] has the batch first, [] is an option.
        default: what stands where the input is not fed; None where it must be.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.serving.endpoint import Input
        >>> Input("input_ids", tf.int64, [None, None]).default is None  # it must be fed
        True
    """

    name: str
    dtype: Any
    shape: Any
    default: Any = None


class Endpoint(NamedTuple):
    """A function to serve; `make_endpoint` makes it.

    Args:
        function: `tf.function` with a signature, of tensors by name -> dict from name
            to tensor. It is traced once, whatever calls it.
        inputs: tuple of Input, those that must be fed first.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.serving.endpoint import Input, make_endpoint
        >>> power = make_endpoint(
        ...     lambda base, exponent: {"power": base**exponent},
        ...     [Input("base", tf.int64, [None]), Input("exponent", tf.int64, [], 2)],
        ... )
        >>> [i.name for i in power.inputs]
        ['base', 'exponent']
    """

    function: Any
    inputs: tuple

    @property
    def takes_ids(self):
        """Whether an input is int64."""
        return any(i.dtype == tf.int64 for i in self.inputs)

    def narrow(self):
        """Makes the same function with int32 in place of int64 inputs.

        Returns:
            Endpoint.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.serving.endpoint import Input, make_endpoint
            >>> base = Input("base", tf.int64, [None])
            >>> exponent = Input("exponent", tf.int64, [], 2)
            >>> power = make_endpoint(
            ...     lambda base, exponent: {"power": base**exponent}, [base, exponent]
            ... )
            >>> power.narrow().inputs[0].dtype
            tf.int32
        """
        narrow = [
            i._replace(dtype=tf.int32) if i.dtype == tf.int64 else i
            for i in self.inputs
        ]

        # Not the other way round: a cast to int32 could make a wrong id a right one.
        def widen(**tensors):
            wide = {i.name: tf.cast(tensors[i.name], i.dtype) for i in self.inputs}
            return self.function(**wide)

        return make_endpoint(widen, narrow)

    def without_options(self):
        """Makes the same function with every option at its default.

        TensorFlow Serving batches only inputs that have rows, its REST interface asks
        for every input of a signature, and so does TensorFlow's own Python loader.

        Returns:
            Endpoint.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.serving.endpoint import Input, make_endpoint
            >>> base = Input("base", tf.int64, [None])
            >>> exponent = Input("exponent", tf.int64, [], 2)
            >>> power = make_endpoint(
            ...     lambda base, exponent: {"power": base**exponent}, [base, exponent]
            ... )
            >>> [i.name for i in power.without_options().inputs]
            ['base']
        """
        rows = [i for i in self.inputs if i.shape]
        return make_endpoint(self.function, rows)


def make_endpoint(function, inputs):
    """Gives a function a signature in which the defaults are tensors.

    A tensor becomes a placeholder with a default, which every loader knows; a number
    would have to be fed by all but Python. A request of another rank, or without a
    row, is stopped.

    Args:
        function: callable of tensors by name -> dict from name to tensor.
        inputs: Inputs, those that must be fed first.

    Returns:
        Endpoint.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.serving.endpoint import Input, make_endpoint
        >>> power = make_endpoint(
        ...     lambda base, exponent: {"power": base**exponent},
        ...     [Input("base", tf.int64, [None]), Input("exponent", tf.int64, [], 2)],
        ... )
        >>> power.function(tf.constant([3, 5], tf.int64))["power"].numpy().tolist()
        [9, 25]
    """
    named = inspect.Signature([_parameter(i) for i in inputs])

    def signature(*args, **kwargs):
        given = named.bind(*args, **kwargs)
        given.apply_defaults()
        return function(**_checked(given.arguments, inputs))

    signature.__signature__ = named
    specs = [tf.TensorSpec(i.shape, i.dtype, name=i.name) for i in inputs]
    traced = tf.function(signature, autograph=False, input_signature=specs)
    return Endpoint(traced, tuple(inputs))


def _parameter(i):
    default = inspect.Parameter.empty
    if i.default is not None:
        default = tf.constant(i.default, i.dtype)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(i.name, kind, default=default)


def _checked(tensors, inputs):
    """Sessions take a fed tensor of any shape, whatever its placeholder says."""
    checks, checked = [], {}
    for i in inputs:
        tensor = tf.ensure_shape(tensors[i.name], i.shape)
        checked[i.name] = tensor
        if i.shape and i.default is None:
            message = f"`{i.name}` is empty; give at least one row of something. Shape:"
            ok = tf.size(tensor) > 0
            checks.append(tf.debugging.Assert(ok, [message, tf.shape(tensor)]))
    with tf.control_dependencies(checks):
        return {name: tf.identity(tensor) for name, tensor in checked.items()}
