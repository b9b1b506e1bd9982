"""Finds a checkpoint by name: a folder here, or a model of the Hugging Face Hub."""

import os
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from tf_led.checkpoints.errors import one_line
from tf_led.checkpoints.formats.registry import FORMATS, INDEX, weight_files
from tf_led.checkpoints.formats.sharding import read_index, shard_names
from tf_led.checkpoints.hub.repo import Repo


@dataclass(frozen=True)
class LocalCheckpoint:
    """Weights that lie on this machine.

    Args:
        name: the folder or Hub id as given.
        weights: Path of the weight file or of the index.
        shards: tuple of Paths, those that the index names; empty for a single file.
        commit_hash: str, the Hub's commit; None for a folder.
    """

    name: str
    weights: Path
    shards: tuple[Path, ...] = ()
    commit_hash: str | None = None


def resolve(name_or_dir, *, subfolder="", use_safetensors=None, **options):
    """Finds the weights of a checkpoint, downloading them if need be.

    Args:
        name_or_dir: str or Path; a folder, or else a Hub id such as
            "allenai/led-base-16384".
        subfolder: str; a folder inside `name_or_dir`. "" and None are its top.
        use_safetensors: True for safetensors only, False for the other formats only,
            None for whichever is there, safetensors first.
        **options: how to ask the Hub:
            `revision`: str; a branch, tag or commit. None is "main".
            `token`: str, or True for the one that `hf auth login` has stored.
            `cache_dir`: str or Path; where downloads are kept, if not where usual.
            `local_files_only`: bool. True looks no further than the cache.
            `force_download`: bool. True downloads again what the cache has.

    Returns:
        `LocalCheckpoint`.

    Raises:
        FileNotFoundError: if there is no such folder or model, or it has no weights.
        NotADirectoryError: if `name_or_dir` is a file.
        ValueError: if `force_download` is True but the Hub may not be used.
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
    repo = _repo(name_or_dir, subfolder=subfolder, **options)
    weights = repo.first(weight_files(use_safetensors))
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
        the Hub may not be used.

    Raises:
        OSError: as `resolve` lists them, if there may be one but it cannot be had.
    """
    subfolder = subfolder or ""
    if os.path.isdir(name_or_dir):
        path = Path(name_or_dir, subfolder, file_name)
        return path if os.path.lexists(path) else None
    return _repo(name_or_dir, subfolder=subfolder, **options).find(file_name)


def get_file(name_or_dir, file_name, *, subfolder="", **options):
    """Finds one file that must be there, downloading it if need be.

    Args:
        name_or_dir: str or Path, as for `resolve`.
        file_name: str.
        subfolder: as for `resolve`.
        **options: the others of `resolve` that say where to look.

    Returns:
        Path.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: as `resolve` lists them.
    """
    subfolder = subfolder or ""
    if not os.path.isdir(name_or_dir):
        return _repo(name_or_dir, subfolder=subfolder, **options).get(file_name)
    inside = _inside(name_or_dir, subfolder)
    if not os.path.lexists(inside / file_name):
        raise FileNotFoundError(
            f"`{inside}` has no {file_name}; there is {_listed(_names_in(inside))}. "
            "Give a directory that save_pretrained wrote."
        )
    return inside / file_name


def _in_folder(folder, subfolder, use_safetensors):
    inside = _inside(folder, subfolder)
    weights = find_weights(inside, use_safetensors=use_safetensors)
    shards = ()
    if weights.name.endswith(INDEX):
        shards = tuple(inside / name for name in shard_names(read_index(weights)))
    return LocalCheckpoint(str(folder), weights, shards)


def _inside(folder, subfolder):
    inside = Path(folder, subfolder)
    if not inside.is_dir():
        raise FileNotFoundError(f"`{folder}` has no folder `{subfolder}`.")
    return inside


def check_is_no_file(name_or_dir):
    """Checks that what is to be a folder or a Hub id is not the path of a file.

    Args:
        name_or_dir: str or Path.

    Raises:
        NotADirectoryError: if it is.
    """
    if os.path.exists(name_or_dir) and not os.path.isdir(name_or_dir):
        raise NotADirectoryError(
            f"`{name_or_dir}` is a file; give the folder that it is in."
        )


def _repo(name, **options):
    check_is_no_file(name)
    try:
        validate_repo_id(str(name))
    except HFValidationError as error:
        raise FileNotFoundError(
            f"`{one_line(name)}` is neither a folder here nor a Hub id such as "
            "`allenai/led-base-16384`."
        ) from error
    return Repo(str(name), **options)


def _commit_of(path):
    """Reads the commit off a path of the cache: .../snapshots/<commit>/<file>."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else None


_SHOWN = 8  # names of files in a message


def find_weights(folder, *, use_safetensors=None):
    """Finds the weight file of a folder.

    Args:
        folder: str or Path of a folder.
        use_safetensors: as for `resolve`.

    Returns:
        Path of the first of the names of `weight_files` that is there.

    Raises:
        FileNotFoundError: if there is none; the message lists what is there.
    """
    folder = Path(folder)
    for name in weight_files(use_safetensors):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(no_weights(folder, _names_in(folder), use_safetensors))


def _names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def no_weights(place, present, use_safetensors=None):
    """Writes the message for a place without weights.

    Args:
        place: str or Path, the folder or the Hub id.
        present: list of str, the names of the files there.
        use_safetensors: as for `resolve`.

    Returns:
        str, one line.
    """
    looked_for = ", ".join(weight_files(use_safetensors))
    unread = [row.advice for row in FORMATS.values() if row.file in present]
    why = "; ".join(filter(None, unread))
    why = f" ({why})" if why else ""
    return (
        f"`{place}` has no weights: looked for {looked_for}; there is "
        f"{_listed(present)}{why}."
    )


def _listed(names):
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN]) or "nothing"
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
