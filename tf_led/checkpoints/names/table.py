"""What the weights of one architecture are called: PyTorch's names beside our paths.

`NameTable` is filled once for each architecture (`names/led.py`) and handed to loading
and saving, which know no architecture themselves.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np


class Transform(NamedTuple):
    """How the array of a file becomes ours.

    Args:
        name: str.
        array: takes the file's array, returns ours.
        shape_in_file: takes the shape of our variable, returns the shape that its
            array has in a file.
    """

    name: str
    array: Callable
    shape_in_file: Callable

    def __call__(self, array):
        """Returns the file's array as ours."""
        return self.array(array)


keep = Transform("keep", lambda array: array, lambda shape: shape)
# PyTorch keeps kernels as [out, in], Keras as [in, out]. Its own inverse.
transpose = Transform("transpose", np.transpose, lambda shape: shape[::-1])


class Row(NamedTuple):
    """What one name of a file means.

    Args:
        path: our path without the prefix; None if the architecture has no such weight.
        transform: `Transform`; None with `path`.
        untied: (path, transform) of it in a model whose token tables are not tied; None
            for all but the tied names.
    """

    path: str | None
    transform: Transform | None
    untied: tuple | None = None

    @property
    def is_tied(self):
        """Whether a tied model has this weight only under another name."""
        return self.untied is not None

    def of_model(self, paths):
        """Returns the row for a model that has these bare paths."""
        return Row(*self.untied) if self.is_tied and self.untied[0] in paths else self


_LAYER = re.compile(r"(?<=layers[./])(0|[1-9][0-9]{0,5})(?=[./])")
_OLD_SUFFIX = {"gamma": "weight", "beta": "bias"}


@dataclass(frozen=True, eq=False)
class NameTable:
    """All names of one architecture.

    Rows are `PyTorch name: (our path, transform)`; `{}` stands for the number of a
    layer. Names are those of the bare model: a model with a head puts the prefix in
    front of the names of its body, not of its head.

    Args:
        model: str, the architecture's name for messages, such as "LED".
        prefix: str, such as "led": `led.` before PyTorch's names, `led/` before ours.
        body: rows of the bare model.
        heads: rows of all heads.
        shared: str, our path of the table of the tokens.
        untied: rows of further token tables, of a model with
            `tie_word_embeddings=False` only. To all others they are further names of
            `shared`: a file may hold any of them, each equal to it.
        zero_if_absent: tuple of str, our paths of weights that are zeros if a file
            lacks them, without a warning.
        dialects: tuple of (pattern, recognise). Where the compiled pattern occurs in a
            name of a file, `recognise(table, names)` gives a dict of `Row` for those of
            the names that it knows; PyTorch's names need none.
        keras_models: what the old TensorFlow classes were called in files, by a head's
            first name; "" for the bare model.

    Example:
        >>> from tf_led.checkpoints.names.table import NameTable, transpose
        >>> body = {"layers.{}.fc.weight": ("layers/{}/fc/kernel", transpose)}
        >>> table = NameTable("toy", "toy", body, {}, "shared/embeddings")
        >>> table.to_pytorch("toy/layers/3/fc/kernel")[0]
        'toy.layers.3.fc.weight'
    """

    model: str
    prefix: str
    body: Mapping
    heads: Mapping
    shared: str
    untied: Mapping = field(default_factory=dict)
    zero_if_absent: tuple = ()
    dialects: tuple = ()
    keras_models: Mapping = field(default_factory=dict)

    @cached_property
    def _from_pytorch(self):
        return {**self.body, **self.heads}

    @cached_property
    def _to_pytorch(self):
        rows = {**self._from_pytorch, **self.untied}
        return {ours: (key, transform) for key, (ours, transform) in rows.items()}

    @cached_property
    def _head_paths(self):
        return {ours for ours, _ in self.heads.values()}

    def bare(self, name):
        """Returns a name, PyTorch's or ours, without the prefix."""
        size = len(self.prefix) + 1
        is_prefixed = name[:size] in (f"{self.prefix}.", f"{self.prefix}/")
        return name[size:] if is_prefixed else name

    def to_ours(self, key):
        """Finds our path for one of PyTorch's names.

        Args:
            key: str, a key of a state dict, with or without the prefix; `gamma` and
                `beta`, which old files have for `weight` and `bias` of a norm, are
                understood.

        Returns:
            (path, transform), the path without the prefix; None if the architecture
            has no such weight. The tied names (`lm_head.weight`, ...) lead to `shared`.

        Example:
            >>> from tf_led.checkpoints.names.led import LED_NAMES
            >>> LED_NAMES.to_ours("led.encoder.layers.3.fc1.weight")[0]
            'encoder/layers/3/fc1/kernel'
        """
        name = self.bare(key)
        if name in self.untied:
            return self.shared, keep
        if name != key and name in self.heads:  # no head has the prefix
            return None
        rows = self._from_pytorch
        return look_up(name, rows) or look_up(_modern(name), rows)

    def to_pytorch(self, path):
        """Finds PyTorch's name for one of our paths.

        Args:
            path: str, with or without the prefix.

        Returns:
            (key, transform), the key with the prefix where the path has it; None if the
            architecture has no such path.

        Example:
            >>> from tf_led.checkpoints.names.led import LED_NAMES
            >>> LED_NAMES.to_pytorch("led/encoder/layers/3/fc1/kernel")[0]
            'led.encoder.layers.3.fc1.weight'
        """
        bare = self.bare(path)
        row = look_up(bare, self._to_pytorch)
        if row and bare != path:
            return f"{self.prefix}.{row[0]}", row[1]
        return row

    def require_pytorch(self, path):
        """Does `to_pytorch`, and raises ValueError where it gives None."""
        row = self.to_pytorch(path)
        if row is None:
            raise ValueError(
                f"The variable `{path}` has no name in PyTorch's {self.model}."
            )
        return row

    def recognise(self, keys):
        """Finds out what all names of a file mean, whatever wrote it.

        Args:
            keys: iterable of str, all of a file: some say what others are.

        Returns:
            dict of `Row` by key.

        Example:
            >>> from tf_led.checkpoints.names.led import LED_NAMES
            >>> rows = LED_NAMES.recognise(["led/decoder/layers.0/fc1/bias:0"])
            >>> rows.popitem()[1].path
            'decoder/layers/0/fc1/bias'
        """
        keys = list(keys)
        rows = {}
        for pattern, recognise in self.dialects:
            if any(pattern.search(key) for key in keys):
                rows |= recognise(self, [key for key in keys if key not in rows])
        return {key: rows.get(key) or self.row_of(key) for key in keys}

    def row_of(self, key):
        """Returns the `Row` of one of PyTorch's names."""
        row = self.to_ours(key) or (None, None)
        return Row(*row, self.untied.get(self.bare(key)))

    def identifies_model(self, path):
        """Whether a weight under this path of ours occurs in this architecture only."""
        return self.bare(path) != self.shared and path not in self._head_paths


def look_up(name, rows):
    """Finds the row of a name, its layer's number in the place of `{}`.

    Args:
        name: str.
        rows: dict of (name, anything) by name, both with `{}` or both without.

    Returns:
        (name, anything); None if there is no such row.
    """
    number = _LAYER.search(name)
    row = rows.get(_LAYER.sub("{}", name, count=1))
    if row is None or ("{}" in row[0]) != (number is not None):
        return None
    return row[0].replace("{}", number[0] if number else ""), row[1]


def _modern(name):
    """Puts today's suffix on a norm's weight of an old file."""
    stem, _, last = name.rpartition(".")
    is_norm = "layer_norm" in stem or "layernorm" in stem
    return f"{stem}.{_OLD_SUFFIX.get(last, last)}" if is_norm else name
