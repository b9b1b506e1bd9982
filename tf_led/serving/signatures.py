"""From the endpoints of a model to the signatures of a SavedModel."""

from collections.abc import Mapping

import tensorflow as tf

from tf_led.serving.endpoint import INT64_SUFFIX
from tf_led.serving.text import text_endpoint

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
        raise OSError(f"Cannot write a SavedModel to `{path}`: {reason}") from error
