"""The forward pass as a SavedModel: flat inputs and outputs by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import tensorflow as tf

from tf_led.models.serving.export import ExportArguments, export_saved_model
from tf_led.serving.endpoint import write_saved_model
from tf_led.utils.annotations import PathLike

CACHE_KINDS = ("self_key", "self_value", "cross_key", "cross_value")
GRAPH_FILE = "saved_model.pb"
SERVING_DEFAULT = "serving_default"
INT64_SERVING = "int64_serving"


def make_serving(model):
    """Makes the forward pass as a `tf.function`: dict of inputs to dict of outputs.

    Args:
        model: the model.

    Returns:
        `tf.function`; its outputs are those of `serving_output`.
    """

    @tf.function(autograph=False)
    def serving(inputs):
        outputs = model(inputs, return_dict=True, training=False)
        return model.serving_output(outputs)

    return serving


def serving_output(model, output: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Gives every tensor of an output a name of its own, as signatures need.

    Args:
        output: what a call of the model returned, as a struct.

    Returns:
        Dict from name to tensor: `logits`, `encoder_last_hidden_state` and so on;
        `encoder_hidden_states_0`, ... for fields with one tensor per layer; and
        `past_key_values_0_self_key`, `..._self_value`, `..._cross_key`,
        `..._cross_value` for the cache.

    Raises:
        TypeError: if `output` has no names, as after `return_dict=False`.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config(decoder_layers=1))
        >>> sorted(model.serving_output(model(input_ids=[[0, 5, 2]])))[-2:]
        ['past_key_values_0_self_key', 'past_key_values_0_self_value']
    """
    if not isinstance(output, Mapping):
        raise TypeError(
            f"`output` is a {type(output).__name__} without names; call the model "
            "with return_dict=True."
        )
    return dict(_flatten(output))


def export(
    model,
    path: PathLike,
    format: str = "tf_saved_model",
    verbose: bool = False,
    **options: Unpack[ExportArguments],
) -> Path:
    """Writes a SavedModel for TensorFlow Serving: see `export_saved_model`.

    Args:
        path: directory that gets a new numbered folder.
        format: "tf_saved_model", as in `keras.Model.export`.
        verbose: bool, whether to print what was written.
        **options: those of `export_saved_model`.

    Returns:
        Path of the folder.

    Raises:
        ValueError: on another format; and as `export_saved_model`.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> import os
        >>> folder = model.export("served")
        >>> os.path.basename(folder)
        '1'
    """
    if format != "tf_saved_model":
        raise ValueError(f"`format` is {format!r}; only 'tf_saved_model' is offered.")
    written = export_saved_model(model, path, **options)
    if verbose:
        print(f"Wrote {written}.")
    return written


def legacy_signatures(model, input_signature=None):
    """Traces a model's `serving` for int32 and int64 inputs.

    Args:
        model: the model.
        input_signature: dict from input name to tf.TensorSpec, or None for the model's.

    Returns:
        Dict from signature name to concrete function.

    Raises:
        ValueError: if `input_signature` is no dict of specs, or names what the model
            does not take.
    """
    specs = model.input_signature if input_signature is None else input_signature
    if not isinstance(specs, Mapping) or not all(
        isinstance(spec, tf.TensorSpec) for spec in specs.values()
    ):
        raise ValueError(
            "`input_signature` must be a dict from the name of an input to a "
            f"tf.TensorSpec, got {specs!r}."
        )
    default = model.serving.get_concrete_function(_with_ints(specs, tf.int32))

    @tf.function(autograph=False)
    def serve_int64(inputs):
        narrow = {
            name: tf.cast(value, tf.int32) if value.dtype.is_integer else value
            for name, value in inputs.items()
        }
        return default(**narrow)  # not traced twice, nor written twice

    int64 = serve_int64.get_concrete_function(_with_ints(specs, tf.int64))
    return {SERVING_DEFAULT: default, INT64_SERVING: int64}


def stage_saved_model(model, staging, folder, signatures):
    """Writes a SavedModel of a model's variables and signatures within a save.

    Args:
        model: the model.
        staging: `Staging` of a save in progress.
        folder: str, where in it.
        signatures: dict from name to concrete function, or one function.
    """
    path = staging.path / folder
    write_saved_model(
        path, signatures, [variable.value for variable in model.variables]
    )
    # Whoever looks for new versions takes a folder with this file for a whole one.
    staging.move_last(str((path / GRAPH_FILE).relative_to(staging.path)))


def _with_ints(specs, dtype):
    """The same specs, with the integers among them of another dtype and named."""
    return {
        name: tf.TensorSpec(
            spec.shape, dtype if spec.dtype.is_integer else spec.dtype, name=name
        )
        for name, spec in specs.items()
    }


def _flatten(output):
    for name, value in output.items():
        if name == "past_key_values":
            for layer, kinds in enumerate(value):
                for kind, tensor in zip(CACHE_KINDS, kinds, strict=True):
                    yield f"{name}_{layer}_{kind}", tensor
        elif isinstance(value, (tuple, list)):
            for layer, tensor in enumerate(value):
                yield f"{name}_{layer}", tensor
        else:
            yield name, value
