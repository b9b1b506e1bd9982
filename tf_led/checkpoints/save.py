"""Writes a model's variables in a format of `formats/registry.py`."""

from pathlib import Path

import keras
import numpy as np

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.replace import write_tensors
from tf_led.checkpoints.names.led import LED_NAMES


def save_weights(
    variables,
    directory,
    *,
    max_shard_size="5GB",
    safe_serialization=True,
    names=LED_NAMES,
):
    """Saves variables under PyTorch's names, all or nothing.

    Args:
        variables: dict of `keras.Variable` by our path; each is saved in its own dtype.
        directory: str or Path of a folder; made if need be.
        max_shard_size: int in bytes, or text such as "5GB" or "50KiB". Larger weights
            are spread over several files with an index.
        safe_serialization: bool. True writes safetensors; False pytorch_model.bin,
            which needs torch, and removes the folder's safetensors, which readers
            would prefer.
        names: `NameTable` of the architecture.

    Returns:
        list of Paths of the files written.

    Raises:
        ValueError: if a variable is not in `names`, an argument is not allowed, or
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
            names=names,
        )


def kind_of(safe_serialization):
    """Reads transformers' switch between its two formats.

    Args:
        safe_serialization: bool.

    Returns:
        str, "safetensors" or "torch".

    Raises:
        ValueError: if it is not a bool.

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


def write_weights(
    variables, staging, *, max_shard_size="5GB", kind="safetensors", names=LED_NAMES
):
    """Does `save_weights` within a save that others take part in.

    Args:
        variables: as for `save_weights`.
        staging: `Staging` from `tf_led.checkpoints.disk.atomic.staged`; config.json
            and so on may be written to its path in the same block.
        max_shard_size: as for `save_weights`.
        kind: str, a key of `tf_led.checkpoints.formats.registry.FORMATS`.
        names: as for `save_weights`.

    Returns:
        list of Paths where the files will be when the block has ended.

    Raises:
        ValueError: as for `save_weights`.
    """
    tensors = [_to_pytorch(names, *item) for item in variables.items()]
    return write_tensors(
        {tensor.name: tensor for tensor in tensors},
        names,
        staging,
        max_shard_size=max_shard_size,
        kind=kind,
    )


def _to_pytorch(names, path, variable):
    key, transform = names.require_pytorch(path)  # its own inverse

    def read():
        return transform(np.asarray(keras.ops.convert_to_numpy(variable)))

    return LazyTensor(
        key,
        transform.shape_in_file(tuple(variable.shape)),
        keras.backend.standardize_dtype(variable.dtype),
        Path("the model"),
        read,
    )
