"""Which tensor of a file goes into which variable: settled before any is touched."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tf_led.checkpoints import names
from tf_led.checkpoints.architecture import describe, foreign_architecture
from tf_led.checkpoints.errors import CheckpointError, some
from tf_led.checkpoints.recognise import recognise
from tf_led.checkpoints.tensors import FLOATS


@dataclass
class Plan:
    """What a file offers a model.

    Args:
        file: Path of the file or the index.
        found: dict of (LazyTensor, transform) by path of our variable.
        unexpected: list of keys that the model has no variable for.
        tied: list of LazyTensor, further copies of the shared embeddings.
    """

    file: Path
    found: dict = field(default_factory=dict)
    unexpected: list = field(default_factory=list)
    tied: list = field(default_factory=list)


def make_plan(paths, tensors, file):
    """Matches a file's tensors with a model's variables by name.

    Args:
        paths: the paths of the model's variables, all with or all without `led/`; the
            file's names may be of either kind, of PyTorch, of the old TensorFlow
            classes or of AllenAI's own model.
        tensors: dict of `LazyTensor` by key.
        file: Path, for messages.

    Returns:
        `Plan`.

    Raises:
        CheckpointError: if a weight is there twice, or the file is not a LED's.
    """
    ours = {names.bare(path): path for path in paths}
    plan = Plan(file)
    recognised = recognise(tensors)
    # The tied names last: they stand in for `shared` where it is not there.
    for key in sorted(tensors, key=lambda key: recognised[key].is_tied):
        row = recognised[key].of_model(ours)
        path = ours.get(row.path)
        if path is None:
            plan.unexpected.append(key)
        elif path not in plan.found:
            plan.found[path] = (tensors[key], row.transform)
        elif row.is_tied:
            plan.tied.append(tensors[key])
        else:
            twin = plan.found[path][0].name
            raise CheckpointError(f"`{file}` holds one weight as {some([twin, key])}.")
    _check_architecture(plan, list(tensors))
    _share_tables(plan, ours)
    return plan


def _share_tables(plan, ours):
    """Gives a model with several token tables the file's only one for all of them."""
    tables = {names.SHARED: names.keep, **dict(names.UNTIED.values())}
    present = [name for name in tables if ours.get(name) in plan.found]
    if not present:
        return
    tensor, _ = plan.found[ours[present[0]]]
    for name, wanted in tables.items():
        if name in ours and ours[name] not in plan.found:
            plan.found[ours[name]] = (tensor, wanted)


def _check_architecture(plan, keys):
    # Some weights prove nothing: many models have a `shared` or a `final_logits_bias`.
    is_led = any(names.is_telling(path) for path in plan.found)
    if not is_led or foreign_architecture(plan.unexpected):
        raise CheckpointError(
            f"`{plan.file}` holds no LED: {describe(plan.unexpected or keys)}."
        )


def check_dtypes(plan):
    """Refuses weights that are not plain floats: casting them would give nonsense.

    Args:
        plan: `Plan`.

    Raises:
        CheckpointError: naming the first such weight.
    """
    for tensor, _ in plan.found.values():
        if tensor.dtype not in FLOATS:
            raise CheckpointError(
                f"`{plan.file}`: `{tensor.name}` is {tensor.dtype}; weights must be "
                f"one of {', '.join(FLOATS)} (a quantised checkpoint is not read)."
            )


def check_tied(plan):
    """Refuses a file whose copies of the shared embeddings are not all the same.

    Args:
        plan: `Plan`.

    Raises:
        CheckpointError: naming the two that differ.
    """
    if not plan.tied:
        return
    shared = next(
        tensor
        for path, (tensor, _) in plan.found.items()
        if names.bare(path) == names.SHARED
    )
    for other in plan.tied:
        if not _same(shared, other):
            raise CheckpointError(
                f"`{plan.file}` has untied embeddings: "
                f"{some([shared.name, other.name])} differ, where this model has one "
                "table for both. Load it with `tie_word_embeddings=False`."
            )


def _same(one, other):
    if one.place is not None and one.place == other.place:
        return True
    alike = (one.shape, one.dtype) == (other.shape, other.dtype)
    # By digest: only one of the two is in memory at a time.
    return alike and _digest(one) == _digest(other)


def _digest(tensor):
    array = np.ascontiguousarray(tensor.read()).reshape(-1)
    return hashlib.blake2b(array.view(np.uint8).data).digest()
