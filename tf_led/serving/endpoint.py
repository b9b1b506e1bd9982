"""From a function of named tensors to the signatures of a SavedModel: ids or texts."""

import errno
import inspect
from collections.abc import Callable, Mapping, Sequence
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
    dtype: tf.DType
    shape: Sequence[int | None]
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

    function: Callable[..., Any]
    inputs: tuple[Input, ...]

    @property
    def takes_ids(self) -> bool:
        """Whether an input is int64."""
        return any(i.dtype == tf.int64 for i in self.inputs)

    def narrow(self) -> "Endpoint":
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

    def without_options(self) -> "Endpoint":
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


def make_endpoint(
    function: Callable[..., Mapping[str, tf.Tensor]], inputs: Sequence[Input]
) -> Endpoint:
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


class TextCodec(NamedTuple):
    """How texts become ids and back, in TensorFlow ops.

    Args:
        encode: callable (texts string[B]) -> (ids int[B, S], mask [B, S]).
        decode: callable (ids int[R, T]) -> string[R].
        mark_global: callable (ids int64[B, S], mask int64[B, S]) -> bool or int[B, S].
    """

    encode: Any
    decode: Any
    mark_global: Any


def text_endpoint(endpoint, codec):
    """Makes an endpoint of texts from one of ids.

    Args:
        endpoint: Endpoint of `input_ids`, `attention_mask`, `global_attention_mask` and
            options.
        codec: TextCodec.

    Returns:
        Endpoint from `text` string[B] and the same options to the same outputs, with
        `generated_text` string[R] in the place of `sequences` int[R, T].
    """

    def read(text, **options):
        ids, mask = codec.encode(text)
        ids, mask = tf.cast(ids, tf.int64), tf.cast(mask, tf.int64)
        global_mask = tf.cast(codec.mark_global(ids, mask), tf.int64)
        outputs = endpoint.function(
            input_ids=ids,
            attention_mask=mask,
            global_attention_mask=global_mask * mask,
            **options,
        )
        outputs = dict(outputs)
        if "sequences" in outputs:
            outputs["generated_text"] = codec.decode(outputs.pop("sequences"))
        return outputs

    options = [i for i in endpoint.inputs if not i.shape]
    return make_endpoint(read, [Input("text", tf.string, [None]), *options])


SERVING_DEFAULT = "serving_default"


def make_signatures(endpoints, default, *, texts=(), codec=None):
    """Lists the signatures of a model's endpoints.

    Args:
        endpoints: dict from name to Endpoint.
        default: str, which of them is served where a request names none.
        texts: names of those that can take texts, see `text_endpoint`.
        codec: TextCodec to take texts with, or None.

    Returns:
        Dict from name to `tf.function` with a signature: each endpoint under its name
        with int32 ids and with "_int64" with int64 ids; "generate_text", say, with
        texts; and "serving_default", which takes texts if it can, and has no options.
    """
    served = dict(endpoints)
    for name in texts if codec is not None else ():
        for variant in [key for key in endpoints if key in (name, f"{name}_xla")]:
            renamed = variant.replace(name, f"{name}_text")
            served[renamed] = text_endpoint(endpoints[variant], codec)
        if name == default:
            default = f"{name}_text"
    signatures = {}
    for name, endpoint in served.items():
        if endpoint.takes_ids:
            signatures[name + INT64_SUFFIX] = endpoint.function
            endpoint = endpoint.narrow()
        signatures[name] = endpoint.function
    plain = served[default].narrow().without_options()
    return {**signatures, SERVING_DEFAULT: plain.function}


def write_saved_model(path, signatures, variables):
    """Writes a SavedModel.

    Args:
        path: str or Path of its folder.
        signatures: dict from name to `tf.function` with a signature, or one such. In
            Python those of a dict are attributes of what is loaded, too, and have their
            defaults there.
        variables: list of tf.Variable that the functions read; each is written once.

    Raises:
        OSError: if it cannot be written, as on a full disk.
    """
    module = tf.Module()
    module.weights = list(variables)
    if isinstance(signatures, Mapping):
        for name, function in signatures.items():
            setattr(module, name, function)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(module, str(path), signatures, options)
    except tf.errors.OpError as error:  # as TensorFlow calls a full disk
        reason = " ".join(str(error.message).split())
        failure = OSError(f"Cannot write a SavedModel to `{path}`: {reason}")
        if isinstance(error, tf.errors.ResourceExhaustedError):
            failure.errno = errno.ENOSPC
        raise failure from error
