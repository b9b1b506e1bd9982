"""Inputs and weights drawn from a seed: the same on every machine, nothing to carry.

NumPy only: this runs where TensorFlow is not installed.
"""

import numpy as np


def draw(spec, number):
    """Draws the array of one argument of a module.

    Args:
        spec: dict with "kind", "shape" and "dtype", and "high" or "value" for the kinds
            that have them: "ids", "ones", "first" (1 for the first token, else 0),
            "weight", "gain", "normal", "constant", "zeros".
        number: int, the argument's place.

    Returns:
        Array.
    """
    shape, kind = tuple(spec["shape"]), spec["kind"]
    rng = np.random.default_rng([7, number])
    if kind == "ids":
        values = rng.integers(3, spec["high"], shape)
    elif kind == "constant":
        values = np.array(spec["value"])
    elif kind in ("ones", "zeros", "first"):
        values = np.full(shape, int(kind == "ones"))
        if kind == "first":
            values[:, 0] = 1
    else:
        values = rng.standard_normal(shape, dtype=np.float32)
        values = {"normal": values, "weight": 0.05 * values, "gain": 1 + 0.1 * values}[
            kind
        ]
    return values.reshape(shape).astype(_numpy_dtype(spec["dtype"]))


def _numpy_dtype(name):
    if name != "bfloat16":
        return np.dtype(name)
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16)
