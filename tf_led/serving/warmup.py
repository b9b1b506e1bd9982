"""Requests that TensorFlow Serving makes to a model before it takes any."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf_led.checkpoints.disk.atomic import staged
from tf_led.serving.endpoint import SERVING_DEFAULT
from tf_led.utils.annotations import PathLike, TensorLike

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
TEXT = "A document."
IDS = ((1, 1),)


def write_warmup(
    path: PathLike,
    signatures: Mapping[str, Any],
    texts: Sequence[str] | None = None,
    ids: TensorLike = IDS,
) -> None:
    """Writes requests for every signature that takes texts, or else for the default.

    Args:
        path: Path of the SavedModel.
        signatures: dict from name to `tf.function` with a signature.
        texts: list of str, one request each; None for one short text.
        ids: int[B, S], a document that the model takes, for the default's request. One
            that it refuses would keep TensorFlow Serving from loading it.

    Raises:
        ImportError: without tensorflow-serving-api.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.serving.warmup import WARMUP_FILE, write_warmup
        >>> spec = tf.TensorSpec([None], tf.string, name="text")
        >>> shout = tf.function(tf.strings.upper, input_signature=[spec])
        >>> try:
        ...     write_warmup("served/1", {"serving_default": shout})
        ... except ImportError:
        ...     pass  # there is no tensorflow-serving-api here
    """
    log = import_log()
    file = Path(path) / WARMUP_FILE
    with (
        staged(file.parent) as staging,
        tf.io.TFRecordWriter(str(staging.path / file.name)) as writer,
    ):
        for name, inputs in _requests(signatures, texts or [TEXT], ids):
            record = log.PredictionLog()
            request = record.predict_log.request
            # The server fills in the name that it serves the model under.
            request.model_spec.signature_name = name
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            writer.write(record.SerializeToString())


def import_log():
    """Imports the format of the requests.

    Returns:
        The module `prediction_log_pb2`.

    Raises:
        ImportError: without tensorflow-serving-api.
    """
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "`warmup` needs the package tensorflow-serving-api, which is not "
            "installed. Install it (pip install 'tf_led[serving]'), or set "
            "`warmup=False`."
        ) from error
    return prediction_log_pb2


def _requests(signatures, texts, ids):
    takes_text = [n for n in signatures if "text" in _rows(signatures[n])]
    for name in takes_text or [SERVING_DEFAULT]:
        for text in texts if takes_text else [None]:
            specs = _rows(signatures[name])
            yield name, {key: _value(spec, text, ids) for key, spec in specs.items()}


def _rows(function):
    """The inputs with rows: dict from name to tf.TensorSpec."""
    return {spec.name: spec for spec in function.input_signature if spec.shape.rank}


def _value(spec, text, ids):
    if spec.dtype == tf.string:
        return tf.constant([text])
    if spec.name == "input_ids":
        return tf.constant(ids, spec.dtype)
    return tf.ones_like(ids, spec.dtype)
