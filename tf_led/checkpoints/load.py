"""Loads a weight file into a model's variables: plan, checks, values, report."""

import dataclasses
import functools
import math
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_led.checkpoints.errors import CheckpointError, some
from tf_led.checkpoints.formats.lazy_tensor import numpy_dtype
from tf_led.checkpoints.formats.registry import open_weights
from tf_led.checkpoints.hub.resolve import find_weights
from tf_led.checkpoints.names.led import LED_NAMES
from tf_led.checkpoints.names.match import check_dtypes, check_tied, make_plan
from tf_led.checkpoints.names.table import keep
from tf_led.utils.host_memory import Scratch, make_contiguous, share_array


@dataclasses.dataclass
class LoadReport:
    """What a file had and a model wanted, in PyTorch's names.

    Args:
        missing_keys: list of str, weights of the model that the file lacks; they keep
            their initial values.
        unexpected_keys: list of str, weights of the file that the model lacks.
        mismatched_keys: list of (key, shape in the file, shape in the model), left at
            their initial values under `ignore_mismatched_sizes`.
        error_msgs: list of str, always empty, since an error is raised; transformers'
            `output_loading_info` has this field.
        nonfinite_keys: list of str, weights of the file, loaded as they are, that hold
            NaN or infinity.
    """

    missing_keys: list = dataclasses.field(default_factory=list)
    unexpected_keys: list = dataclasses.field(default_factory=list)
    mismatched_keys: list = dataclasses.field(default_factory=list)
    error_msgs: list = dataclasses.field(default_factory=list)
    nonfinite_keys: list = dataclasses.field(default_factory=list)

    def as_dict(self):
        """Returns the fields as a dict, as `output_loading_info=True` gives it."""
        return dataclasses.asdict(self)


def make_report(plan, keys, mismatched, nonfinite=()):
    """Sums up a plan.

    Args:
        plan: `Plan`.
        keys: dict of PyTorch's name by path, for each variable of the model.
        mismatched: list of (key, shape in the file, shape in the model).
        nonfinite: list of str, the file's keys of weights with NaN or infinity.

    Returns:
        `LoadReport`; weights that are zeros where a file lacks them are not missing.
    """
    missing = [
        key
        for path, key in keys.items()
        if path not in plan.found and path not in plan.names.zero_if_absent
    ]
    return LoadReport(
        sorted(missing),
        sorted(plan.unexpected),
        sorted(mismatched),
        nonfinite_keys=sorted(nonfinite),
    )


def warn_about(report, file, stacklevel, drawn=False):
    """Warns of every weight that did not go where one might think it went.

    Args:
        report: `LoadReport`.
        file: Path of the weight file.
        stacklevel: Python int, as for `warnings.warn`, counted from the caller.
        drawn: bool, whether what the file has no values for was drawn at random.
    """
    instead = "newly drawn" if drawn else "left as they were"
    lists = (
        (report.missing_keys, f"lacks {{}} of the model's weights, {instead}: {{}}"),
        (report.unexpected_keys, "has {} weights that the model does not use: {}"),
        (
            [key for key, *_ in report.mismatched_keys],
            f"has {{}} weights of another shape, not loaded but {instead}: {{}}",
        ),
        (report.nonfinite_keys, "has {} weights with NaN or infinite numbers: {}"),
    )
    for keys, text in lists:
        if keys:
            message = f"`{file}` {text.format(len(keys), some(keys))}."
            warnings.warn(message, stacklevel=stacklevel + 1)


_THREADS = 2  # one waits for the file while the other transposes
_PROGRESS_FROM = 10**9  # bytes; less than that is loaded before a bar is read


# A model of so many layers is made whatever the file holds.
_FEW_LAYERS = 16
_WEIGHTS_OF_A_LAYER = 16  # at least


def check_layers(layers, source):
    """Checks, before a model is made, that its layers can come from a file.

    Args:
        layers: dict of int by the name of a config's field.
        source: as for `load_weights`.

    Raises:
        CheckpointError: if there are more layers than the file has weights for.
    """
    if max(layers.values()) <= _FEW_LAYERS:
        return
    file = _weight_file(source)
    count = len(open_weights(file))
    most = max(count // _WEIGHTS_OF_A_LAYER, _FEW_LAYERS)
    for name, number in layers.items():
        if number > most:
            raise CheckpointError(
                f"The config has `{name}` {number}, but `{file}` has only {count} "
                "weights. Use the configuration that belongs to the file."
            )


def load_weights(
    variables,
    source,
    *,
    ignore_mismatched_sizes=False,
    draw=None,
    names=LED_NAMES,
):
    """Loads a checkpoint into variables; on any error none of them has changed.

    Args:
        variables: dict of `keras.Variable` by our path, all of a model's, all paths
            with the prefix (`led/`) or all without. Values are cast to the variable's
            dtype.
        source: str or Path of a weight file, an index or a folder that holds one; or
            the `LocalCheckpoint` that `tf_led.checkpoints.hub.resolve.resolve` gives.
        ignore_mismatched_sizes: bool. True leaves weights of another shape at their
            initial values instead of raising an error.
        draw: callable that is given the list of the variables that the file has no
            values for, to initialise them; None leaves them as they are.
        names: `NameTable` of the model's architecture.

    Returns:
        `LoadReport`. Whatever it lists is warned about too. Weights that are zeros
        where a file lacks them (`final_logits_bias`) are not listed.

    Raises:
        FileNotFoundError: if there is no weight file.
        CheckpointError: if the file cannot be used: truncated, corrupt, of another
            architecture, of other shapes. The message names the file.
        ValueError: if a variable's path is not in `names`.

    Example:
        >>> import keras
        >>> from tf_led.checkpoints.load import load_weights
        >>> from tf_led.checkpoints.save import save_weights
        >>> gain = keras.Variable([1.0, 2.0])
        >>> variables = {"led/encoder/layernorm_embedding/gamma": gain}
        >>> _ = save_weights(variables, "checkpoint")
        >>> _ = gain.assign([0.0, 0.0])
        >>> load_weights(variables, "checkpoint").missing_keys
        []
        >>> gain.numpy()
        array([1., 2.], dtype=float32)
    """
    keys = {path: names.require_pytorch(path)[0] for path in variables}
    file = _weight_file(source)
    plan = make_plan(variables, open_weights(file), file, names)
    check_dtypes(plan)
    mismatched = _mismatched(plan, variables, keys)
    if mismatched and not ignore_mismatched_sizes:
        raise CheckpointError(_mismatch_message(file, list(mismatched.values())))
    check_tied(plan)
    lacking = [p for p in variables if p not in plan.found or p in mismatched]
    if draw is not None:
        _check_lacking(plan, variables, keys, lacking)
    nonfinite = _assign(plan, variables, skipped=mismatched)
    _zero_absent(plan, variables)
    if draw is not None:
        draw([variables[path] for path in lacking])
    report = make_report(plan, keys, mismatched.values(), nonfinite)
    warn_about(report, file, stacklevel=2, drawn=draw is not None)
    return report


def _weight_file(source):
    path = Path(getattr(source, "weights", source))
    return find_weights(path) if path.is_dir() else path


def _mismatched(plan, variables, keys):
    """Returns (key, shape in the file, shape in the model) by path, as PyTorch's."""
    differing = {}
    for path, (tensor, transform) in plan.found.items():
        shape = transform.shape_in_file(tuple(variables[path].shape))
        if tensor.shape != shape:
            differing[path] = (keys[path], tensor.shape, shape)
    return differing


def _mismatch_message(file, mismatched):
    key, in_file, in_model = mismatched[0]
    more = f" (and {len(mismatched) - 1} more)" if len(mismatched) > 1 else ""
    return (
        f"`{file}`: `{key}` has shape {in_file}, the model's has {in_model}{more}. Use "
        "the configuration that belongs to the file, or `ignore_mismatched_sizes=True` "
        "to leave such weights at their initial values."
    )


# A new head, position tables or layers of a small model, whatever the file's size.
_ALWAYS_DRAWN = 1 << 24


def _check_lacking(plan, variables, keys, lacking):
    """Checks that a config does not ask for far more numbers than the file has."""
    held = sum(math.prod(tensor.shape) for tensor, _ in plan.found.values())
    count = sum(math.prod(variables[path].shape) for path in lacking)
    if count > max(4 * held, _ALWAYS_DRAWN):
        named = some([keys[path] for path in lacking])
        raise CheckpointError(
            f"`{plan.file}` has {held:,} numbers for the model, and {count:,} would "
            f"have to be drawn, those of {named}. Use the configuration that belongs "
            "to the file, or make a new model from the config alone."
        )


def _assign(plan, variables, skipped):
    """Sets the variables; returns the keys of those that hold NaN or infinity."""
    todo = [(path, *row) for path, row in plan.found.items() if path not in skipped]
    # The largest first: what is left at the end is small, and no thread waits long.
    todo.sort(key=lambda item: -item[1].nbytes)
    total = sum(tensor.nbytes for _, tensor, _ in todo)
    nonfinite, quiet = [], total < _PROGRESS_FROM
    read = functools.partial(_read, variables, threading.local())
    with (
        tqdm(total=total, unit="B", unit_scale=True, disable=quiet) as bar,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        # What is read ahead takes no memory that the variables will not take anyway.
        for (path, tensor, _), values in zip(todo, pool.map(read, todo), strict=True):
            variables[path].assign(values)
            if not _is_finite(values):
                nonfinite.append(tensor.name)
            bar.update(tensor.nbytes)
    return nonfinite


def _read(variables, of_thread, item):
    """Reads a tensor into memory that a variable can keep; changed ones via scratch."""
    path, tensor, transform = item
    dtype = numpy_dtype(keras.backend.standardize_dtype(variables[path].dtype))
    if transform is keep and numpy_dtype(tensor.dtype) == dtype:
        return share_array(make_contiguous(tensor.read(), dtype))
    if not hasattr(of_thread, "scratch"):
        of_thread.scratch = Scratch()
    array = transform(tensor.read(of_thread.scratch))
    contiguous = make_contiguous(array, dtype)
    return share_array(contiguous.copy() if contiguous is array else contiguous)


def _is_finite(values):
    # A sum is quick, and no number in it can hide; but it may overflow by itself.
    total = tf.reduce_sum(values)
    return bool(tf.math.is_finite(total) or tf.reduce_all(tf.math.is_finite(values)))


def _zero_absent(plan, variables):
    for path in plan.names.zero_if_absent:
        if path in variables and path not in plan.found:
            variables[path].assign(np.zeros(variables[path].shape))
