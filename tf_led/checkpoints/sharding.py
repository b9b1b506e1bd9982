"""Spreading weights over files so that readers see the old or the new, never a mix."""

import json
import re
import secrets

from huggingface_hub import split_state_dict_into_shards_factory

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
# Ours and transformers'; the eight letters are in names chosen to be new.
_SHARD = re.compile(r"model(-[0-9a-f]{8})?-\d{5}-of-\d{5}\.safetensors")


def split_tensors(tensors, max_shard_size, target):
    """Spreads tensors over files whose names overwrite no shard that is in use.

    Args:
        tensors: dict of `LazyTensor` by key.
        max_shard_size: int in bytes, or text such as "5GB".
        target: Path of the folder to save to.

    Returns:
        huggingface_hub's `StateDictSplit`.

    Raises:
        ValueError: if `max_shard_size` is neither.
    """
    split = _split_named("model", tensors, max_shard_size)
    if split.is_sharded and any((target / name).exists() for name in _files(split)):
        # The old index goes on naming the old shards until the new one replaces it.
        split = _split_named(f"model-{secrets.token_hex(4)}", tensors, max_shard_size)
    return split


def _files(split):
    return list(split.filename_to_tensors)


def _split_named(stem, tensors, max_shard_size):
    try:
        if not isinstance(max_shard_size, str) and max_shard_size < 1:
            raise ValueError
        return split_state_dict_into_shards_factory(
            tensors,
            get_storage_size=lambda tensor: tensor.nbytes,
            filename_pattern=stem + "{suffix}.safetensors",
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
    index = {
        "metadata": {"total_size": split.metadata["total_size"]},
        "weight_map": dict(sorted(split.tensor_to_filename.items())),
    }
    path.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def replace_old(staging, new):
    """Orders the moves so that readers see the old weights whole, then the new ones.

    A reader takes the single file before the index: writing the single file switches at
    once; so does deleting it when the new index is there.

    Args:
        staging: `Staging`, holding the new files.
        new: list of str, their names, the index last.
    """
    staging.move_last(new[-1])
    old_shards = [
        file.name for file in staging.target.iterdir() if _SHARD.fullmatch(file.name)
    ]
    staging.remove_after(INDEX if new == [SINGLE] else SINGLE, *old_shards)
