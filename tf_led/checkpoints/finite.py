"""Notes which weights hold NaN or infinity while they pass from file to file."""

from dataclasses import replace

import numpy as np


def watch_finite(tensors):
    """Has each tensor looked at when it is read.

    Args:
        tensors: dict of `LazyTensor`.

    Returns:
        (dict of `LazyTensor` under the same keys, set of str): into the set each one
        that holds NaN or infinity puts its name when it is read.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from tf_led.checkpoints.finite import watch_finite
        >>> from tf_led.checkpoints.tensors import LazyTensor
        >>> read = lambda: np.array([1.0, np.inf])
        >>> tensor = LazyTensor("gain", (2,), "float64", Path("here"), read)
        >>> watched, found = watch_finite({"gain": tensor})
        >>> _ = watched["gain"].read()
        >>> found
        {'gain'}
    """
    found = set()
    return {key: _watch(tensor, found) for key, tensor in tensors.items()}, found


def _watch(tensor, found):
    def read(*args, **kwargs):
        array = tensor.read(*args, **kwargs)
        if not np.isfinite(array).all():
            found.add(tensor.name)
        return array

    return replace(tensor, read=read)
