"""From a model in memory to a model on the Hugging Face Hub."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import keras
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.formats.lazy_tensor import widest_dtype
from tf_led.checkpoints.hub.push import model_card, push_folder
from tf_led.checkpoints.save import kind_of, write_weights
from tf_led.models.config import LEDConfig
from tf_led.models.serving.legacy_signatures import legacy_signatures, stage_saved_model
from tf_led.utils.annotations import PathLike
from tf_led.utils.versions import config_from_dict

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

# Arguments of transformers' methods that upload, or write something else.
_ELSEWHERE = (
    *("push_to_hub", "create_pr", "token", "use_auth_token", "variant", "state_dict"),
)


class SaveArguments(TypedDict, total=False):
    """What `save_pretrained` takes if it requests nothing, for type checkers."""

    push_to_hub: Literal[False] | None
    create_pr: Literal[False] | None
    token: Literal[False] | None
    use_auth_token: Literal[False] | None
    variant: None
    state_dict: None
    is_main_process: Literal[True]


# What to do instead of the arguments of the old classes' push_to_hub.
_INSTEAD_OF_PUSHING = {
    "use_auth_token": "give the same value as `token`",
    "tags": "edit the model card on the Hub",
    "commit_description": "say it in `commit_message`",
    "use_temp_dir": "leave it out: files are always staged in a temporary folder",
}


class PushArguments(TypedDict, total=False):
    """What `push_to_hub` takes if it requests nothing, for type checkers."""

    use_auth_token: None
    tags: None
    commit_description: None
    use_temp_dir: None


def save_pretrained(
    model,
    save_directory: PathLike,
    *,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
    saved_model: bool = False,
    version: int = 1,
    signatures: Any = None,
    **kwargs: Unpack[SaveArguments],
) -> None:
    """Writes config.json and the weights under PyTorch's names.

    PyTorch's LED opens the result. What was there before stays whole until the new
    files are complete.

    Args:
        save_directory: directory, made if it is not there.
        max_shard_size: int in bytes, or text such as "5GB" or "50KiB".
        safe_serialization: bool; False writes pytorch_model.bin, which needs torch.
        saved_model: bool, whether to write a SavedModel to saved_model/<version> too.
        version: int, its number.
        signatures: `tf.function` with a signature, or dict of such by name, for the
            SavedModel; None for a call with int32 and with int64 inputs.
        **kwargs: none; other names are an error.

    Raises:
        NotADirectoryError: if `save_directory` is a file.
        ValueError: on an option that is not offered, or that needs another.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.save_pretrained("checkpoint")
        >>> import os
        >>> sorted(os.listdir("checkpoint"))
        ['config.json', 'model.safetensors']
    """
    _check_save_options(saved_model, version, signatures, kwargs)
    with staged(save_directory) as staging:
        if saved_model:
            if signatures is None:
                signatures = legacy_signatures(model)
            stage_saved_model(model, staging, f"saved_model/{version}", signatures)
        write_checkpoint(
            model,
            staging,
            max_shard_size=max_shard_size,
            kind=kind_of(safe_serialization),
        )


def save(model, filepath, overwrite=True, zipped=None, **kwargs):
    """Saves the model as a `.keras` file; what was there stays until it is whole.

    Args:
        filepath: str or Path of the file; anything else is as in `keras.Model.save`.
        overwrite: bool; False asks before a file is replaced.
        zipped: bool or None, as in `keras.Model.save`.
        **kwargs: of `keras.Model.save`.

    Raises:
        ValueError: if the name does not end in ".keras".
        OSError: if the disk is full and so on.

    Example:
        >>> import keras
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> TFLEDModel(tiny_config()).save("model.keras")
        >>> type(keras.models.load_model("model.keras")).__name__
        'TFLEDModel'
    """
    target, options = Path(filepath).resolve(), {"zipped": zipped, **kwargs}
    is_local = "://" not in str(filepath) and zipped is not False
    is_new = overwrite or not target.exists()
    if not (is_local and is_new and target.suffix == ".keras" and not target.is_dir()):
        keras.Model.save(model, filepath, overwrite=overwrite, **options)
        return
    with staged(target.parent) as staging:
        keras.Model.save(model, staging.path / target.name, **options)


def write_checkpoint(model, staging, *, max_shard_size="5GB", kind="safetensors"):
    """Writes weights, config and generation config within a save.

    Args:
        model: the model.
        staging: `Staging` from `tf_led.checkpoints.disk.atomic.staged`.
        max_shard_size: as for `save_pretrained`.
        kind: "safetensors", "torch", or "h5", as for `write_weights`.
    """
    weights = model.weights_to_save()
    write_weights(weights, staging, max_shard_size=max_shard_size, kind=kind)
    write_configs(model, staging.path, weights)


def write_configs(model, directory, weights):
    """Writes config.json and, of a model that generates, generation_config.json.

    Args:
        model: the model.
        directory: Path of a folder.
        weights: dict of `keras.Variable` by path, those beside which it is written.
    """
    model.check_config()
    dtypes = [keras.backend.standardize_dtype(w.dtype) for w in weights.values()]
    fields = {
        **model.config.to_dict(),
        "architectures": [pytorch_name(model)],
        "dtype": widest_dtype(dtypes),  # in which PyTorch loads, whatever the file's
    }
    fields.pop("torch_dtype", None)
    config_from_dict(LEDConfig, fields).save_pretrained(directory)
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
    # What requests nothing of those that the old classes and PyTorch's have.
    unknown = {n: v for n, v in unknown.items() if not _is_nothing(n, v)}
    if unknown.get("push_to_hub"):
        raise ValueError(
            "`push_to_hub` is True, but save_pretrained does not upload: call "
            "`model.push_to_hub(repo_id)`."
        )
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


def _is_nothing(name, value):
    if name == "is_main_process":
        return value is True
    return name in _ELSEWHERE and (value is None or value is False)


def push_to_hub(
    model,
    repo_id: str,
    *,
    commit_message: str = "Upload model",
    private: bool | None = None,
    token: str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
    **kwargs: Unpack[PushArguments],
) -> "CommitInfo":
    """Uploads what `save_pretrained` writes, as one commit.

    The repository is made if need be. If it has no README.md it gets a model card,
    which says how to load the model in TensorFlow and in PyTorch. A tokenizer has a
    `push_to_hub` of its own.

    Args:
        repo_id: str, such as "me/led-reports".
        commit_message: str.
        private: bool; None for what the account's settings say. Of a new
            repository.
        token: str, or None for the one that `hf auth login` has stored.
        revision: str, a branch that there is, or None for main.
        create_pr: bool. True opens a pull request instead of committing.
        max_shard_size: int in bytes, or text such as "5GB".
        safe_serialization: bool; False uploads pytorch_model.bin, which needs
            torch.
        **kwargs: none; other names are an error.

    Returns:
        huggingface_hub's `CommitInfo`, a str with the commit's address.

    Raises:
        ValueError: if `repo_id` cannot be one, or on an option that is not offered.
        OSError: if the Hub cannot be reached, or refuses.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.push_to_hub("not/an/id")
        Traceback (most recent call last):
        ValueError: ...
    """
    _check_push_options(kwargs)

    def make_card(full_id):
        base = _base_model(model.name_or_path)
        return model_card(model.config, pytorch_name(model), full_id, base)

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(
            model,
            folder,
            max_shard_size=max_shard_size,
            safe_serialization=safe_serialization,
        )
        return push_folder(
            folder,
            repo_id,
            make_card,
            commit_message=commit_message,
            private=private,
            token=token,
            revision=revision,
            create_pr=create_pr,
            kind=kind_of(safe_serialization),
        )


def _check_push_options(unknown):
    # Those of the old classes may stand there as None, which requests nothing.
    for name, value in unknown.items():
        if name not in _INSTEAD_OF_PUSHING:
            raise ValueError(
                f"push_to_hub got {name!r}, which it does not offer; it takes "
                "commit_message, private, token, revision, create_pr, max_shard_size "
                "and safe_serialization."
            )
        if value is not None:
            shown = "" if name == "use_auth_token" else f" {value!r}"  # a secret
            raise ValueError(
                f"push_to_hub got `{name}`{shown}, which it does not offer: "
                f"{_INSTEAD_OF_PUSHING[name]}."
            )


def _base_model(name_or_path):
    """The Hub id that a model came from; None for a folder, or for no origin at all."""
    if not name_or_path or os.path.exists(name_or_path) or "/" not in name_or_path:
        return None
    try:
        validate_repo_id(name_or_path)
    except HFValidationError:
        return None
    return name_or_path
