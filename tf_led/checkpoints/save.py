"""Writes a model's variables as PyTorch's LED, or the old TensorFlow one, expects."""

from pathlib import Path

import keras
import numpy as np

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.formats.hdf5 import H5_FILE, write_h5
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.pytorch_bin import check_torch, write_torch
from tf_led.checkpoints.formats.replace import (
    NAMES,
    index,
    replace_old,
    split_tensors,
    write_index,
)
from tf_led.checkpoints.formats.safetensors import write_safetensors
from tf_led.checkpoints.names import pytorch as names

KINDS = (*NAMES, "h5")
_WRITERS = {"safetensors": write_safetensors, "torch": write_torch}


def save_weights(
    variables, directory, *, max_shard_size="5GB", safe_serialization=True
):
    """Saves variables under PyTorch's names, all or nothing.

    Args:
        variables: dict of `keras.Variable` by our path; each is saved in its own dtype.
        directory: str or Path of a folder; made if need be.
        max_shard_size: int in bytes, or text such as "5GB" or "200MB". Weights beyond
            it are spread over several files with an index.
        safe_serialization: bool. True writes safetensors; False pytorch_model.bin,
            which needs torch, and removes the folder's safetensors, which readers
            would prefer.

    Returns:
        list of Paths of the files written.

    Raises:
        ValueError: if a variable is not one of LED's, an argument is not allowed, or
            torch is not there.
        NotADirectoryError: if `directory` is a file.
        OSError: if the disk is full and so on; the folder is then as it was.

    Example:
        >>> import keras
        >>> from tf_led.checkpoints.save import save_weights
        >>> gain = keras.Variable([1.0, 2.0])
        >>> variables = {"led/encoder/layernorm_embedding/gamma": gain}
        >>> files = save_weights(variables, "checkpoint")
        >>> [file.name for file in files]
        ['model.safetensors']
    """
    with staged(directory) as staging:
        return write_weights(
            variables,
            staging,
            max_shard_size=max_shard_size,
            kind=kind_of(safe_serialization),
        )


def kind_of(safe_serialization):
    """Reads transformers' switch between its two formats.

    Args:
        safe_serialization: bool.

    Returns:
        str, "safetensors" or "torch".

    Raises:
        ValueError: if it is no bool.

    Example:
        >>> from tf_led.checkpoints.save import kind_of
        >>> kind_of(False)
        'torch'
    """
    if not isinstance(safe_serialization, bool):
        raise ValueError(
            f"`safe_serialization` must be True or False, got {safe_serialization!r}."
        )
    return "safetensors" if safe_serialization else "torch"


def write_weights(variables, staging, *, max_shard_size="5GB", kind="safetensors"):
    """Does `save_weights` within a save that others take part in.

    Args:
        variables: as for `save_weights`.
        staging: `Staging` from `tf_led.checkpoints.disk.atomic.staged`; config.json
            and so on may be written to its path in the same block.
        max_shard_size: as for `save_weights`.
        kind: "safetensors"; "torch" for pytorch_model.bin; "h5" for one tf_model.h5,
            which transformers' TensorFlow LED opens.

    Returns:
        list of Paths where the files will be when the block has ended.

    Raises:
        ValueError: as for `save_weights`.
    """
    tensors = {t.name: t for t in map(_to_pytorch, variables, variables.values())}
    return write_tensors(tensors, staging, max_shard_size=max_shard_size, kind=kind)


def write_tensors(tensors, staging, *, max_shard_size="5GB", kind="safetensors"):
    """Does `write_weights` with tensors from anywhere.

    Args:
        tensors: dict of `LazyTensor` by PyTorch's key, laid out as PyTorch's.
        staging: as for `write_weights`.
        max_shard_size: as for `write_weights`.
        kind: as for `write_weights`.

    Returns:
        list of Paths where the files will be when the block has ended.

    Raises:
        ValueError: as for `save_weights`.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}.")
    if kind == "h5":
        write_h5(staging.path / H5_FILE, tensors)
        new = [H5_FILE]
    else:
        new = _write_shards(tensors, staging, max_shard_size, kind)
    replace_old(staging, new, kind)
    return [staging.target / name for name in new]


def _write_shards(tensors, staging, max_shard_size, kind):
    if kind == "torch":
        check_torch()
    split = split_tensors(tensors, max_shard_size, staging.target, kind)
    for name, keys in split.filename_to_tensors.items():
        _WRITERS[kind](staging.path / name, [tensors[key] for key in keys])
    new = list(split.filename_to_tensors)
    if split.is_sharded:
        write_index(staging.path / index(kind), split)
        new.append(index(kind))
    return new


def _to_pytorch(path, variable):
    row = names.to_pytorch(path)
    if row is None:
        raise ValueError(f"The variable `{path}` has no name in PyTorch's LED.")
    key, transform = row
    shape = tuple(variable.shape)

    def read():
        return transform(np.asarray(keras.ops.convert_to_numpy(variable)))

    return LazyTensor(
        key,
        shape[::-1] if transform is names.transpose else shape,
        keras.backend.standardize_dtype(variable.dtype),
        Path("the model"),
        read,
    )
