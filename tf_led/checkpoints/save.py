"""Writes a model's variables as PyTorch's LED expects them."""

from pathlib import Path

import keras
import numpy as np

from tf_led.checkpoints import names
from tf_led.checkpoints.atomic import staged
from tf_led.checkpoints.safetensors_files import write_safetensors
from tf_led.checkpoints.sharding import (
    INDEX,
    SINGLE,
    replace_old,
    split_tensors,
    write_index,
)
from tf_led.checkpoints.tensors import LazyTensor


def save_weights(
    variables, directory, *, max_shard_size="5GB", safe_serialization=True
):
    """Saves variables as safetensors under PyTorch's names, all or nothing.

    Args:
        variables: dict of `keras.Variable` by our path; each is saved in its own dtype.
        directory: str or Path of a folder; made if need be.
        max_shard_size: int in bytes, or text such as "5GB" or "200MB". Weights beyond
            it are spread over several files with an index.
        safe_serialization: bool; must be True. PyTorch's own format is not written.

    Returns:
        list of Paths of the files written.

    Raises:
        ValueError: if a variable is not one of LED's, or an argument is not allowed.
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
            safe_serialization=safe_serialization,
        )


def write_weights(variables, staging, *, max_shard_size="5GB", safe_serialization=True):
    """Does `save_weights` within a save that others take part in.

    Args:
        variables: as for `save_weights`.
        staging: `Staging` from `tf_led.checkpoints.atomic.staged`; config.json and so
            on may be written to its path in the same block.
        max_shard_size: as for `save_weights`.
        safe_serialization: as for `save_weights`.

    Returns:
        list of Paths where the files will be when the block has ended.

    Raises:
        ValueError: as for `save_weights`.
    """
    if not safe_serialization:
        raise ValueError(
            "`safe_serialization=False` would write pytorch_model.bin, which needs "
            "PyTorch; save as safetensors, which PyTorch's LED opens as well."
        )
    tensors = {t.name: t for t in map(_to_pytorch, variables, variables.values())}
    split = split_tensors(tensors, max_shard_size, staging.target)
    for name, keys in split.filename_to_tensors.items():
        write_safetensors(staging.path / name, [tensors[key] for key in keys])
    new = list(split.filename_to_tensors)
    if split.is_sharded:
        write_index(staging.path / INDEX, split)
        new.append(INDEX)
    replace_old(staging, new)
    return [staging.target / name for name in new]


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
        Path(SINGLE),
        read,
    )
