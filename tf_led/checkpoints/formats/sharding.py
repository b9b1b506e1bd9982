"""The index of a sharded checkpoint: which shard holds which tensor."""

from pathlib import Path

from tf_led.checkpoints.disk.atomic import MAX_NAME
from tf_led.checkpoints.errors import CheckpointError, one_line, some
from tf_led.checkpoints.json_files import read_object


def read_index(path):
    """Reads an index and checks its form.

    Args:
        path: str or Path of a `*.index.json`.

    Returns:
        dict of key -> file name of the shard that holds it.

    Raises:
        CheckpointError: if it is not an index, or names a shard outside its folder.
    """
    path = Path(path)
    try:
        weight_map = read_object(path)["weight_map"]
        pairs = list(weight_map.items())
    except (CheckpointError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"`{path}` is not the index of a sharded checkpoint: {one_line(error)}"
        ) from error
    for key, name in pairs:
        if not isinstance(name, str) or not _is_file_name(name):
            raise CheckpointError(
                f"`{path}` names `{one_line(name)}` for `{one_line(key)}`; a shard is "
                "a file beside the index."
            )
    if not pairs:
        raise CheckpointError(f"`{path}` lists no weights.")
    return weight_map


def _is_file_name(name):
    is_long = len(name.encode("utf-8", "surrogatepass")) > MAX_NAME
    is_special = name in ("", ".", "..") or "\0" in name or is_long
    return not is_special and not any(mark in name for mark in "/\\:")


def shard_names(weight_map):
    """Returns the names of the shards, sorted, each once.

    Args:
        weight_map: dict of key -> shard, as `read_index` gives it.

    Returns:
        list of str.
    """
    return sorted({*weight_map.values()})


def read_shards(path, read_file):
    """Opens all shards of an index.

    Args:
        path: str or Path of a `*.index.json`.
        read_file: takes the Path of one shard, returns its tensors by key.

    Returns:
        dict of `LazyTensor` by key.

    Raises:
        CheckpointError: if a shard is not there, lacks a key that the index promises,
            or holds one that another shard holds too.
    """
    path = Path(path)
    weight_map = read_index(path)
    names = shard_names(weight_map)
    absent = [name for name in names if not (path.parent / name).is_file()]
    if absent:
        raise CheckpointError(
            f"`{path}` names {len(names)} shards of which {len(absent)} are not there: "
            f"{some(absent)}."
        )
    keys = {name: [] for name in names}
    for key, name in weight_map.items():
        keys[name].append(key)
    tensors = {}
    for name in names:
        held = read_file(path.parent / name)
        promised = {key if key in held else _without_model(key) for key in keys[name]}
        _check_shard(path.parent / name, held.keys(), promised, tensors)
        tensors |= held
    return tensors


def _without_model(key):
    """The old TensorFlow classes kept the model's name in the index only."""
    return key.partition("/")[2] or key


def _check_shard(path, held, promised, others):
    lacking = sorted(promised - held)
    if lacking:
        raise CheckpointError(
            f"`{path}` lacks what the index promises of it: {some(lacking)}."
        )
    twice = sorted(held & others.keys())
    if twice:
        raise CheckpointError(
            f"`{path}` repeats what another shard has: {some(twice)}."
        )
