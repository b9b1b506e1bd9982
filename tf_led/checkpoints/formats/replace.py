"""Spreading weights over files so that readers see the old or the new, never a mix."""

import json
import re
import secrets

from huggingface_hub import split_state_dict_into_shards_factory

from tf_led.checkpoints.formats.registry import CANDIDATES, KERAS_FILE

# How a kind's files are called: a stem, an ending. In the order in which readers look.
NAMES = {"safetensors": ("model", ".safetensors"), "torch": ("pytorch_model", ".bin")}


def single(kind):
    """Names the file of weights that are not spread: `model.safetensors`."""
    return "".join(NAMES[kind])


def index(kind):
    """Names the index of those that are: `model.safetensors.index.json`."""
    return f"{single(kind)}.index.json"


def split_tensors(tensors, max_shard_size, target, kind="safetensors"):
    """Spreads tensors over files whose names overwrite no shard that is in use.

    Args:
        tensors: dict of `LazyTensor` by key.
        max_shard_size: int in bytes, or text such as "5GB".
        target: Path of the folder to save to.
        kind: str, a key of `NAMES`.

    Returns:
        huggingface_hub's `StateDictSplit`.

    Raises:
        ValueError: if `max_shard_size` is neither.
    """
    stem, ending = NAMES[kind]
    split = _split_named(stem, ending, tensors, max_shard_size)
    if split.is_sharded and any((target / name).exists() for name in _files(split)):
        # The old index goes on naming the old shards until the new one replaces it.
        stem = f"{stem}-{secrets.token_hex(4)}"
        split = _split_named(stem, ending, tensors, max_shard_size)
    return split


def _files(split):
    return list(split.filename_to_tensors)


def _split_named(stem, ending, tensors, max_shard_size):
    try:
        if not isinstance(max_shard_size, str) and max_shard_size < 1:
            raise ValueError
        return split_state_dict_into_shards_factory(
            tensors,
            get_storage_size=lambda tensor: tensor.nbytes,
            filename_pattern=stem + "{suffix}" + ending,
            max_shard_size=max_shard_size,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(
            "`max_shard_size` must be a positive int or a text such as '5GB', got "
            f"{max_shard_size!r}."
        ) from error


def write_index(path, split):
    """Writes the index of a split.

    Args:
        path: Path, where to.
        split: as `split_tensors` gives it.
    """
    content = {
        "metadata": {"total_size": split.metadata["total_size"]},
        "weight_map": dict(sorted(split.tensor_to_filename.items())),
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def replace_old(staging, new, kind="safetensors"):
    """Orders the moves so that readers see the old weights whole, then the new ones.

    A reader takes the single file before the index, and safetensors before the other
    formats: writing what it looks for first switches at once; so does deleting that
    when the new files are there. Old files that no reader would prefer are left alone.

    Args:
        staging: `Staging`, holding the new files.
        new: list of str, their names, the index last.
        kind: str, a key of `NAMES`, or any other that readers look for last.
    """
    staging.move_last(new[-1])
    for preferred in NAMES:
        heads = [single(preferred), index(preferred)]
        staging.remove_after(*[name for name in heads if name not in new])
        staging.remove_after(*_old_shards(staging.target, *NAMES[preferred]))
        if preferred == kind:
            break


def remove_other_weights(staging):
    """Has all weights deleted that are not in a save: they are of another model now.

    Args:
        staging: `Staging`, holding the new files.
    """
    staging.remove_after(*CANDIDATES, KERAS_FILE)
    for stem, ending in (*NAMES.values(), ("tf_model", ".h5")):
        staging.remove_after(*_old_shards(staging.target, stem, ending))


def _old_shards(folder, stem, ending):
    # Ours and transformers'; the eight letters are in names chosen to be new.
    shard = rf"{stem}(-[0-9a-f]{{8}})?-\d{{5}}-of-\d{{5}}{re.escape(ending)}"
    names = sorted(file.name for file in folder.iterdir())
    return [name for name in names if re.fullmatch(shard, name)]
