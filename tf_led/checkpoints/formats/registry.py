"""The formats of weights, one row each, and what opens a file of any of them.

A further format is a file with a function that reads it and one that writes it, and a
row in `FORMATS`. Loading, saving, the Hub and the commands go by the rows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.hdf5 import read_h5, write_h5
from tf_led.checkpoints.formats.pytorch_bin import check_torch, read_torch, write_torch
from tf_led.checkpoints.formats.safetensors import read_safetensors, write_safetensors
from tf_led.checkpoints.formats.sharding import read_shards
from tf_led.checkpoints.names.tensorflow import rename_for_h5

INDEX = ".index.json"


def _pytorch_names(table, tensors):
    """The names of most formats: those that saving starts from."""
    return tensors


@dataclass(frozen=True)
class Format:
    """One format of weights.

    Args:
        stem: str, the start of its files' names, such as "model".
        ending: str, their end, such as ".safetensors".
        read: takes the Path of one file, checks it and returns a dict of `LazyTensor`
            by key; None for a format that is recognised but not read.
        write: takes the Path of one file and a list of `LazyTensor`; None if tensors
            alone cannot be written so.
        is_sharded: bool, whether large checkpoints are written as several files.
        rename: takes a `NameTable` and a dict of `LazyTensor` by PyTorch's name;
            returns a dict under the names that the format has.
        check: called before anything is written; raises ValueError where it cannot be.
        readers: str, what opens the format, for the help of `tf-led convert`.
        advice: str, what to do with a file of a format that is not read.
    """

    stem: str
    ending: str
    read: Callable | None = None
    write: Callable | None = None
    is_sharded: bool = True
    rename: Callable = _pytorch_names
    check: Callable = lambda: None
    readers: str = ""
    advice: str = ""

    @property
    def file(self):
        """str, the name of the file of weights that are not sharded."""
        return f"{self.stem}{self.ending}"

    @property
    def index(self):
        """str, the name of the index of sharded weights."""
        return f"{self.file}{INDEX}"

    def is_shard(self, name):
        """Whether a file's name is that of a shard, of ours or of transformers'.

        Args:
            name: str.

        Returns:
            bool.
        """
        # The eight letters are in names chosen to be new, see `replace.split_tensors`.
        stem, ending = re.escape(self.stem), re.escape(self.ending)
        pattern = rf"{stem}(-[0-9a-f]{{8}})?-\d{{5}}-of-\d{{5}}{ending}"
        return re.fullmatch(pattern, name) is not None


# In the order in which readers look for them, in a folder and on the Hub.
FORMATS = {
    "safetensors": Format(
        "model",
        ".safetensors",
        read_safetensors,
        write_safetensors,
        readers="for PyTorch and tf_led",
    ),
    "torch": Format(
        "pytorch_model",
        ".bin",
        read_torch,
        write_torch,
        check=check_torch,
        readers="PyTorch's own",
    ),
    "h5": Format(
        "tf_model",
        ".h5",
        read_h5,
        write_h5,
        is_sharded=False,
        rename=rename_for_h5,
        readers="for the TensorFlow classes of transformers 4",
    ),
    # A whole model, written by `model.save`, not by a table of tensors.
    "keras": Format(
        "model",
        ".keras",
        readers="for Keras alone",
        advice="open a .keras file with keras.models.load_model after `import tf_led`",
    ),
    "flax": Format("flax_model", ".msgpack", advice="Flax weights are not read"),
}


def readable(use_safetensors=None):
    """Lists the formats that are read.

    Args:
        use_safetensors: True for safetensors only, False for the other formats only,
            None for all.

    Returns:
        list of `Format`, in the order in which to look for them.

    Raises:
        ValueError: if `use_safetensors` is anything else.
    """
    if use_safetensors not in (None, True, False):
        raise ValueError(
            f"`use_safetensors` must be True, False or None, got {use_safetensors!r}."
        )
    return [
        row
        for name, row in FORMATS.items()
        if row.read is not None and use_safetensors in (None, name == "safetensors")
    ]


def weight_files(use_safetensors=None):
    """Lists the names of weight files to look for, in order.

    Args:
        use_safetensors: as for `readable`.

    Returns:
        list of str: of each format the single file, then the index.
    """
    return [n for row in readable(use_safetensors) for n in (row.file, row.index)]


def writable(name):
    """Finds a format that weights can be written in.

    Args:
        name: str, a key of `FORMATS`.

    Returns:
        `Format`.

    Raises:
        ValueError: if there is no such format, or if the machine cannot write it.
    """
    names = [name for name, row in FORMATS.items() if row.write is not None]
    if name not in names:
        raise ValueError(f"`kind` must be one of {', '.join(names)}, got {name!r}.")
    FORMATS[name].check()
    return FORMATS[name]


_LFS_POINTER = b"version https://git-lfs"


def open_weights(path):
    """Opens a weight file, or all shards of an index; reads no tensor yet.

    Args:
        path: str or Path, a file of a format that is read, or the `.index.json` of one.

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
    readers = {row.ending: row.read for row in readable()}
    if path.suffix not in readers:
        raise CheckpointError(
            f"`{path}` is of no known format; it must end in {', '.join(readers)}."
        )
    with open(path, "rb") as file:
        start = file.read(len(_LFS_POINTER))
    if not start:
        raise CheckpointError(f"`{path}` is empty.")
    if start == _LFS_POINTER:
        raise CheckpointError(
            f"`{path}` is a Git LFS pointer, not the file; run `git lfs pull` there."
        )
    tensors = readers[path.suffix](path)
    if not tensors:
        raise CheckpointError(f"`{path}` holds no tensor.")
    return tensors
