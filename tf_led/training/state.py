"""All that training goes on from, in one file: what is renamed in place is whole.

The file is a safetensors file. Its last tensor, `record`, holds JSON of where the run
is and of a SHA-256 of every other tensor, and before it the SHA-256 of this JSON: no
damaged byte is trained on. States of version 0.1 have no checksums.
"""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.lazy_tensor import LazyTensor
from tf_led.checkpoints.formats.safetensors import read_safetensors, write_safetensors
from tf_led.training.accumulation import build_optimizer

STATE_FILE = "state.safetensors"
RECORD = "record"


def training_variables(model, metrics=()):
    """Names every variable that the next steps depend on.

    Args:
        model: compiled keras.Model; its optimizer is built where it is not.
        metrics: further keras metrics whose running means go on.

    Returns:
        Dict from name to keras.Variable: weights, seeds, the optimizer's, metrics'.
    """
    build_optimizer(model.optimizer, model.trainable_variables)
    owners = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": [v for metric in metrics for v in metric.variables],
    }
    seen, named = set(), {}
    for owner, variables in owners.items():
        for number, variable in enumerate(variables):
            if id(variable) not in seen:  # a model counts some of its metrics' as its
                seen.add(id(variable))
                # Not by its path, which counts the models made before this one.
                named[f"{owner}/{number}"] = variable
    return named


def save_state(folder, variables, record):
    """Writes the state; what was there before stays until the new one is whole.

    Args:
        folder: str or Path, made if need be.
        variables: dict of keras.Variable, as of `training_variables`.
        record: dict that JSON can say: where the run is.

    Raises:
        OSError: if it cannot be written; the old state is then still there.

    Example:
        >>> import keras
        >>> from tf_led.training.state import load_state, save_state
        >>> save_state("run", {"step": keras.Variable(3.0)}, {"epoch": 1})
        >>> other = keras.Variable(0.0)
        >>> load_state("run", {"step": other}), float(other.numpy())
        ({'epoch': 1}, 3.0)
    """
    checksums = dict.fromkeys(variables, NO_CHECKSUM)

    def text():
        content = json.dumps({"run": record, "checksums": checksums}).encode()
        return np.frombuffer(_checksum(content).encode() + content, "uint8")

    # Of bytes, the last by its name: it is asked for when all checksums are there.
    tensors = [LazyTensor(RECORD, text().shape, "uint8", Path(STATE_FILE), text)]
    tensors += [
        _tensor(name, variable, checksums) for name, variable in variables.items()
    ]
    with staged(folder) as staging:
        write_safetensors(staging.path / STATE_FILE, tensors)


def read_record(folder):
    """Reads where the run is, without the tensors.

    Args:
        folder: str or Path.

    Returns:
        The dict given to `save_state`; None if nothing is saved yet.

    Raises:
        CheckpointError: if the file is damaged.
    """
    path = Path(folder) / STATE_FILE
    if not path.exists():
        return None
    return _split_record(path, read_safetensors(path))[0]


def load_state(folder, variables):
    """Gives variables the values that they were saved with.

    Args:
        folder: str or Path.
        variables: dict of keras.Variable, under the names they were saved by.

    Returns:
        The dict given to `save_state`; None if nothing is saved yet.

    Raises:
        CheckpointError: if the file is damaged or of another model or optimizer; no
            variable has changed then.
    """
    path = Path(folder) / STATE_FILE
    if not path.exists():
        return None
    tensors = read_safetensors(path)
    record, checksums = _split_record(path, tensors)
    _check_names(path, tensors, variables)
    _check_content(path, tensors, checksums)
    for name, variable in variables.items():
        write_variable(variable, tensors[name].read())
    return record


def read_variable(variable):
    """The value of a variable in this process.

    Args:
        variable: keras.Variable; over several workers reading a metric's by itself
            would sum it up with theirs, and wait for them.

    Returns:
        Array of its shape and dtype.
    """
    return _copies(variable)[0].numpy()


def write_variable(variable, value):
    """Gives a variable, and each replica's copy of it in this process, a value.

    Args:
        variable: keras.Variable.
        value: array of its shape.
    """
    for copy in _copies(variable):
        copy.assign(tf.cast(value, copy.dtype))


def _copies(variable):
    """The tf.Variables behind a keras.Variable: one for each replica here."""
    value = variable.value
    return getattr(value, "values", None) or [value]


NO_CHECKSUM = "0" * 64


def _checksum(content, about=""):
    """SHA-256 of bytes, and of what is said about them."""
    digest = hashlib.sha256(about.encode())
    digest.update(content)
    return digest.hexdigest()


def _tensor_checksum(name, array):
    """Also of name, dtype and shape, which stand elsewhere in the file."""
    content = np.ascontiguousarray(array).reshape(-1).view("uint8").data
    return _checksum(content, f"{name} {array.dtype} {array.shape}\n")


def _tensor(name, variable, checksums):
    """What writes a variable, and notes its checksum meanwhile."""

    def read():
        value = read_variable(variable)
        checksums[name] = _tensor_checksum(name, value)
        return value

    dtype = keras.backend.standardize_dtype(variable.dtype)
    return LazyTensor(name, tuple(variable.shape), dtype, Path(STATE_FILE), read)


def _split_record(path, tensors):
    """Takes the record out of the tensors: where the run is, and their checksums.

    The checksums are None in a state of version 0.1.
    """
    if RECORD not in tensors:
        raise CheckpointError(f"{path} is no state of a training run.")
    text = tensors.pop(RECORD).read().tobytes()
    has_checksums = not text.startswith(b"{")
    checksum, content = (text[:64], text[64:]) if has_checksums else (None, text)
    try:
        if has_checksums and _checksum(content).encode() != checksum:
            raise ValueError("its checksum does not fit")
        record = json.loads(content)
        if has_checksums:
            return record["run"], record["checksums"]
    except (ValueError, RecursionError) as error:
        raise _damaged(path, RECORD) from error
    return record, None


def _check_content(path, tensors, checksums):
    """Checks every byte, before a variable is changed: the file is read twice."""
    if checksums is None:
        return
    for name, tensor in tensors.items():
        if _tensor_checksum(name, tensor.read()) != checksums.get(name):
            raise _damaged(path, name)


def _damaged(path, name):
    return CheckpointError(
        f"{path} is damaged: the checksum of {name!r} does not fit. Training cannot go "
        f"on from it: put an undamaged copy in its place, or delete {path.parent} "
        "and give --force to begin anew."
    )


def _check_names(path, tensors, variables):
    other = sorted(tensors.keys() ^ variables.keys())
    other += [
        name
        for name in tensors.keys() & variables.keys()
        if tensors[name].shape != tuple(variables[name].shape)
    ]
    if other:
        raise CheckpointError(
            f"{path} holds the state of another model or optimizer: {other[0]} is in "
            f"only one of them or of another shape, one of {len(other):,}."
        )
