"""Opens a weight file of any format that is read, and says plainly what is not one."""

from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.hdf5 import read_h5
from tf_led.checkpoints.formats.pytorch_bin import read_torch
from tf_led.checkpoints.formats.safetensors import read_safetensors
from tf_led.checkpoints.formats.sharding import read_shards

INDEX = ".index.json"
# Tried in this order in a folder and on the Hub. A further format is a row here, one in
# `_READERS`, and, until it is read, one in `UNREAD`.
CANDIDATES = {
    "model.safetensors": "safetensors",
    "model.safetensors.index.json": "safetensors",
    "pytorch_model.bin": "torch",
    "pytorch_model.bin.index.json": "torch",
    "tf_model.h5": "h5",
    "tf_model.h5.index.json": "h5",
}
KERAS_FILE = "model.keras"
UNREAD = {
    "flax_model.msgpack": "Flax weights are not read",
    KERAS_FILE: f"open {KERAS_FILE} with keras.models.load_model after `import tf_led`",
}
_READERS = {".safetensors": read_safetensors, ".bin": read_torch, ".h5": read_h5}
_LFS_POINTER = b"version https://git-lfs"


def open_weights(path):
    """Opens a weight file, or all shards of an index; reads no tensor yet.

    Args:
        path: str or Path, a `.safetensors`, `.bin` or `.h5` file or the `.index.json`
            of one.

    Returns:
        dict of `LazyTensor` by key, at least one.

    Raises:
        FileNotFoundError: if it is not there.
        CheckpointError: if it cannot be used; the message names the file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weight file `{path}`.")
    if path.name.endswith(INDEX):
        return read_shards(path, _open_file)
    return _open_file(path)


def _open_file(path):
    if path.suffix not in _READERS:
        known = ", ".join(_READERS)
        raise CheckpointError(
            f"`{path}` is of no known format; it must end in {known}."
        )
    with open(path, "rb") as file:
        start = file.read(len(_LFS_POINTER))
    if not start:
        raise CheckpointError(f"`{path}` is empty.")
    if start == _LFS_POINTER:
        raise CheckpointError(
            f"`{path}` is a Git LFS pointer, not the file; run `git lfs pull` there."
        )
    tensors = _READERS[path.suffix](path)
    if not tensors:
        raise CheckpointError(f"`{path}` holds no tensor.")
    return tensors
