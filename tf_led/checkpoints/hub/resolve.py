"""Finds a checkpoint by name: a folder here, or a model of the Hugging Face Hub."""

import os
from pathlib import Path

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from tf_led.checkpoints.errors import one_line
from tf_led.checkpoints.formats.registry import INDEX
from tf_led.checkpoints.formats.sharding import read_index, shard_names
from tf_led.checkpoints.hub.folder import (
    LocalCheckpoint,
    find_weights,
    no_weights,
    wanted,
)
from tf_led.checkpoints.hub.push import Repo


def resolve(
    name_or_dir,
    *,
    revision=None,
    subfolder="",
    token=None,
    cache_dir=None,
    local_files_only=False,
    force_download=False,
    use_safetensors=None,
):
    """Finds the weights of a checkpoint, downloading them if need be.

    Args:
        name_or_dir: str or Path; a folder, or else a Hub id such as
            "allenai/led-base-16384".
        revision: str; a branch, tag or commit of the Hub. None is "main".
        subfolder: str; a folder inside `name_or_dir`. "" and None are its top.
        token: str, or True for the one that `hf auth login` has stored.
        cache_dir: str or Path; where downloads are kept, if not in the usual place.
        local_files_only: bool. True looks no further than the cache.
        force_download: bool. True downloads again what the cache has.
        use_safetensors: True for safetensors only, False for pytorch_model.bin or
            tf_model.h5 only, None for whichever is there, safetensors first.

    Returns:
        `LocalCheckpoint`.

    Raises:
        FileNotFoundError: if there is no such folder or model, or it has no weights.
        NotADirectoryError: if `name_or_dir` is a file.
        ValueError: if `force_download` is asked for where the Hub is ruled out.
        ConnectionError: if the Hub cannot be reached and the cache lacks the weights.
        PermissionError: if the Hub gives access only on request.

    Example:
        >>> import keras
        >>> from tf_led.checkpoints.hub.resolve import resolve
        >>> from tf_led.checkpoints.save import save_weights
        >>> bias = keras.Variable([[1.0, 2.0]])
        >>> _ = save_weights({"final_logits_bias": bias}, "checkpoint")
        >>> resolve("checkpoint").weights.name
        'model.safetensors'
    """
    subfolder = subfolder or ""
    if os.path.isdir(name_or_dir):
        return _in_folder(name_or_dir, subfolder, use_safetensors)
    repo = _repo(
        name_or_dir,
        revision=revision,
        subfolder=subfolder,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )
    weights = repo.first(wanted(use_safetensors))
    if weights is None:
        raise FileNotFoundError(no_weights(repo.name, repo.files(), use_safetensors))
    commit = _commit_of(weights)
    shards = ()
    if weights.name.endswith(INDEX):
        names = shard_names(read_index(weights))
        shards = tuple(map(repo.at(commit).get, names))
    return LocalCheckpoint(repo.name, weights, shards, commit)


def find_file(name_or_dir, file_name, *, subfolder="", **options):
    """Finds one file beside the weights, downloading it if need be.

    Args:
        name_or_dir: str or Path, as for `resolve`.
        file_name: str.
        subfolder: as for `resolve`.
        **options: the others of `resolve` that say where to look.

    Returns:
        Path; None if the folder or model has no such file, or the cache has none and
        the Hub must not be asked.

    Raises:
        OSError: as `resolve` lists them, if there may be one but it cannot be had.
    """
    subfolder = subfolder or ""
    if os.path.isdir(name_or_dir):
        path = Path(name_or_dir, subfolder, file_name)
        return path if os.path.lexists(path) else None
    return _repo(name_or_dir, subfolder=subfolder, **options).find(file_name)


def _repo(
    name,
    *,
    revision=None,
    subfolder="",
    token=None,
    cache_dir=None,
    local_files_only=False,
    force_download=False,
):
    return Repo(
        _repo_id(name),
        revision,
        subfolder,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )


def _in_folder(folder, subfolder, use_safetensors):
    inside = Path(folder, subfolder)
    if not inside.is_dir():
        raise FileNotFoundError(f"`{folder}` has no folder `{subfolder}`.")
    weights = find_weights(inside, use_safetensors=use_safetensors)
    shards = ()
    if weights.name.endswith(INDEX):
        shards = tuple(inside / name for name in shard_names(read_index(weights)))
    return LocalCheckpoint(str(folder), weights, shards)


def _repo_id(name):
    if os.path.exists(name):
        raise NotADirectoryError(f"`{name}` is a file; give the folder that it is in.")
    try:
        validate_repo_id(str(name))
    except HFValidationError as error:
        raise FileNotFoundError(
            f"`{one_line(name)}` is neither a folder here nor a Hub id such as "
            "`allenai/led-base-16384`."
        ) from error
    return str(name)


def _commit_of(path):
    """Reads the commit off a path of the cache: .../snapshots/<commit>/<file>."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else None
