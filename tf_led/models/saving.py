"""Checkpoints from models: config, weights and generation config together."""

from tf_led.checkpoints.atomic import staged
from tf_led.checkpoints.save import kind_of, write_weights
from tf_led.models.config import LEDConfig
from tf_led.models.serving_signatures import make_signatures, write_saved_model


def save_pretrained(
    model,
    save_directory,
    *,
    max_shard_size="5GB",
    safe_serialization=True,
    saved_model=False,
    version=1,
    signatures=None,
    **kwargs,
):
    """Does `TFLEDPreTrainedModel.save_pretrained`.

    Args:
        model: the model.
        save_directory: directory.
        max_shard_size: see there, like all other arguments.
        safe_serialization: see there.
        saved_model: see there.
        version: see there.
        signatures: see there.
        **kwargs: see there.
    """
    _check_save_options(saved_model, version, signatures, kwargs)
    with staged(save_directory) as staging:
        if saved_model:
            if signatures is None:
                signatures = make_signatures(model)
            write_saved_model(model, staging, f"saved_model/{version}", signatures)
        write_checkpoint(
            model,
            staging,
            max_shard_size=max_shard_size,
            kind=kind_of(safe_serialization),
        )


def write_checkpoint(model, staging, *, max_shard_size="5GB", kind="safetensors"):
    """Writes weights, config and generation config within a save.

    Args:
        model: the model.
        staging: `Staging` from `tf_led.checkpoints.atomic.staged`.
        max_shard_size: as for `save_pretrained`.
        kind: "safetensors", "torch", or "h5", as for `write_weights`.
    """
    write_weights(
        model.weights_to_save(), staging, max_shard_size=max_shard_size, kind=kind
    )
    write_configs(model, staging.path)


def write_configs(model, directory):
    """Writes config.json and, of a model that generates, generation_config.json.

    Args:
        model: the model.
        directory: Path of a folder.
    """
    fields = {**model.config.to_dict(), "architectures": [pytorch_name(model)]}
    LEDConfig.from_dict(fields).save_pretrained(directory)
    if model.can_generate():
        model.generation_config.save_pretrained(directory)


def pytorch_name(model):
    """Names PyTorch's class for a model of ours.

    Args:
        model: the model.

    Returns:
        str, such as "LEDForConditionalGeneration".
    """
    return type(model).__name__.removeprefix("TF")


def _check_save_options(saved_model, version, signatures, unknown):
    if unknown:
        raise ValueError(
            f"save_pretrained got {', '.join(map(repr, sorted(unknown)))}, which it "
            "does not offer; it takes max_shard_size, safe_serialization, saved_model, "
            "version and signatures."
        )
    if not saved_model and (version != 1 or signatures is not None):
        raise ValueError(
            f"`version` is {version!r} and `signatures` is {signatures!r}, but only a "
            "SavedModel has them: give saved_model=True too."
        )
    if type(version) is not int or version < 1:
        raise ValueError(
            f"`version` must be an int of at least 1, got {version!r}: it names the "
            "folder that TensorFlow Serving reads."
        )
