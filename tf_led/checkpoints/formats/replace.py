"""Writing weights in place of others: readers see the old or the new, never a mix."""

import json
import numbers
import re
import secrets

from huggingface_hub import split_state_dict_into_shards_factory

from tf_led.checkpoints.formats.registry import FORMATS, writable


def write_tensors(tensors, table, staging, *, max_shard_size="5GB", kind="safetensors"):
    """Writes tensors in one format into a save, and has the old ones replaced.

    Args:
        tensors: dict of `LazyTensor` by PyTorch's name, laid out as PyTorch's.
        table: `NameTable`, for formats with other names.
        staging: `Staging` of the save.
        max_shard_size: int in bytes, or text such as "5GB", "200MB" or "50KiB".
        kind: str, a key of `FORMATS` that can be written.

    Returns:
        list of Paths where the files will be when the save has ended.

    Raises:
        ValueError: if `kind` or `max_shard_size` is not allowed, torch is needed and
            missing, or the format has no name for a weight.
    """
    row = writable(kind)
    tensors = row.rename(table, tensors)
    new = _write_files(tensors, row, staging, max_shard_size)
    _replace_old(staging, new, row)
    return [staging.target / name for name in new]


def _write_files(tensors, row, staging, max_shard_size):
    if not row.is_sharded:
        row.write(staging.path / row.file, list(tensors.values()))
        return [row.file]
    split = split_tensors(tensors, max_shard_size, staging.target, row)
    for name, keys in split.filename_to_tensors.items():
        row.write(staging.path / name, [tensors[key] for key in keys])
    new = list(split.filename_to_tensors)
    if split.is_sharded:
        _write_index(staging.path / row.index, split)
        new.append(row.index)
    return new


def split_tensors(tensors, max_shard_size, target, row):
    """Spreads tensors over files whose names overwrite no shard that is in use.

    Args:
        tensors: dict of `LazyTensor` by key.
        max_shard_size: int in bytes, or text such as "5GB" or "50KiB".
        target: Path of the folder to save to.
        row: `Format`.

    Returns:
        huggingface_hub's `StateDictSplit`.

    Raises:
        ValueError: if `max_shard_size` is neither.
    """
    size = parse_size(max_shard_size)
    split = _split_named(row.stem, row.ending, tensors, size)
    if split.is_sharded and any(
        (target / n).exists() for n in split.filename_to_tensors
    ):
        # The old index goes on naming the old shards until the new one replaces it.
        stem = f"{row.stem}-{secrets.token_hex(4)}"
        split = _split_named(stem, row.ending, tensors, size)
    return split


def _split_named(stem, ending, tensors, size):
    return split_state_dict_into_shards_factory(
        tensors,
        get_storage_size=lambda tensor: tensor.nbytes,
        filename_pattern=stem + "{suffix}" + ending,
        max_shard_size=size,
    )


_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([KMGT]I?)?B", re.IGNORECASE)
_UNITS = {
    None: 1,
    **{u: 1000**n for n, u in enumerate("KMGT", 1)},
    **{f"{u}I": 1024**n for n, u in enumerate("KMGT", 1)},
}


def parse_size(max_shard_size):
    """Reads the largest size of a file of weights.

    Args:
        max_shard_size: int in bytes; or text as transformers 4 took it: "5GB",
            "200MB", "50KiB", in any case of letters.

    Returns:
        int, bytes.

    Raises:
        ValueError: if it is neither, or not at least one byte.

    Example:
        >>> from tf_led.checkpoints.formats.replace import parse_size
        >>> parse_size("50kiB")
        51200
    """
    size = max_shard_size
    if isinstance(size, str):
        found = _SIZE.fullmatch(size.strip())
        unit = found and (found[2].upper() if found[2] else None)
        size = int(float(found[1]) * _UNITS[unit]) if found else 0
    elif isinstance(size, numbers.Real) and not isinstance(size, bool):
        size = int(size) if size == size // 1 else 0  # 5e9 is a whole number too
    else:
        size = 0
    if size < 1:
        raise ValueError(
            "`max_shard_size` must be a positive int or a text such as '5GB' or "
            f"'50KiB', got {max_shard_size!r}."
        )
    return size


def _write_index(path, split):
    content = {
        "metadata": {"total_size": split.metadata["total_size"]},
        "weight_map": dict(sorted(split.tensor_to_filename.items())),
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def preferred_to(row):
    """Lists a format and those that readers prefer to it.

    Args:
        row: `Format`.

    Returns:
        list of `Format`, `row` last.
    """
    rows = list(FORMATS.values())
    return rows[: rows.index(row) + 1]


def _replace_old(staging, new, row):
    """Orders the moves so that readers see the old weights whole, then the new ones.

    A reader takes the single file before the index, and safetensors before the other
    formats: writing what it looks for first switches at once; so does deleting that
    when the new files are there. Old files that no reader would prefer are left alone.
    """
    staging.move_last(new[-1])
    for other in preferred_to(row):
        staging.remove_after(*(n for n in (other.file, other.index) if n not in new))
        staging.remove_after(*_old_shards(staging.target, other))


def remove_other_weights(staging):
    """Has all weights deleted that are not in a save: they are of another model now.

    Args:
        staging: `Staging`, holding the new files.
    """
    for row in FORMATS.values():
        staging.remove_after(row.file, row.index, *_old_shards(staging.target, row))


def _old_shards(folder, row):
    return sorted(file.name for file in folder.iterdir() if row.is_shard(file.name))
