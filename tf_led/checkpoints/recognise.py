"""Whose names a file's keys are, and which weight of ours each of them means."""

from collections.abc import Callable
from typing import NamedTuple

from tf_led.checkpoints import allenai_names, names, tf_names


class Row(NamedTuple):
    """What a key of a file means.

    Args:
        path: our path without `led/`; None if LED has no such weight.
        transform: takes the file's array, returns ours.
        own: (path, transform) of it in a model with `tie_word_embeddings=False`; None
            for all but the tied names.
    """

    path: str | None
    transform: Callable | None
    own: tuple | None = None

    @property
    def is_tied(self):
        """Whether a tied model has this only under another name."""
        return self.own is not None

    def of_model(self, paths):
        """Returns the row for a model with these bare paths."""
        return Row(*self.own) if self.is_tied and self.own[0] in paths else self


def recognise(keys):
    """Finds out what the keys of a file mean.

    Args:
        keys: iterable of str, all of a file.

    Returns:
        dict of `Row` by key.

    Example:
        >>> from tf_led.checkpoints.recognise import recognise
        >>> recognise(["led/decoder/layers.0/fc1/bias:0"]).popitem()[1].path
        'decoder/layers/0/fc1/bias'
    """
    is_allenai = allenai_names.is_allenai(keys)
    return {key: _row(key, is_allenai) for key in keys}


def _row(key, is_allenai):
    if tf_names.is_tf_name(key):
        return Row(*(tf_names.to_ours(key) or (None, None)))
    if is_allenai:
        row, key = allenai_names.to_ours(key), allenai_names.to_led(key)
    else:
        row = names.to_ours(key)
    return Row(*(row or (None, None)), names.UNTIED.get(names.bare(key)))


def shape_in_file(transform, shape):
    """Tells how a weight of ours lies in a file.

    Args:
        transform: as `Row` has it.
        shape: tuple of ints, our variable's.

    Returns:
        tuple of ints.
    """
    if transform is names.transpose:
        return shape[::-1]
    if transform is allenai_names.without_reserved:
        return (shape[0] + 2, *shape[1:])
    return shape
