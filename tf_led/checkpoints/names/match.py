"""Decides which tensor of a file goes into which variable, before any is read."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tf_led.checkpoints.errors import CheckpointError, some
from tf_led.checkpoints.names.table import NameTable, keep

# The dtypes that weights come in; anything else is a quantised or foreign file.
FLOATS = ("float16", "bfloat16", "float32", "float64")
_BART_ENCODER = r"(^|\.)encoder\.layers\.\d+\.self_attn\.k_proj\."
# The first that fits any key is the answer.
_FOREIGN = (
    (r"lora_[AB]\.", "a LoRA adapter; merge it into its model first"),
    (_BART_ENCODER, "a BART or one of its relatives, not a LED"),
    (r"attention\.self\.query_global\.", "a Longformer, which has no decoder"),
    (r"attention\.self\.query\.", "a BERT or RoBERTa"),
    (r"(^|\.)block\.\d+\.layer\.\d+\.", "a T5 or LongT5"),
    (r"(^|\.)h\.\d+\.(attn|ln_1)\.", "a GPT-2"),
    (r"(^|\.)layers\.\d+\.self_attn\.q_proj\.weight_scale", "a quantised model"),
    (r"^model\.layers\.\d+\.self_attn\.", "a decoder-only model such as Llama"),
)


def foreign_architecture(keys):
    """Recognises the weights of another architecture.

    Args:
        keys: list of str, the weights that the model has no variable for.

    Returns:
        str that fits behind "seems to be"; None if it is none of those known.

    Example:
        >>> from tf_led.checkpoints.names.match import foreign_architecture
        >>> foreign_architecture(["bert.encoder.layer.0.attention.self.query.bias"])
        'a BERT or RoBERTa'
    """
    # TensorFlow's names differ in their punctuation.
    keys = [key.partition(":")[0].replace("/", ".") for key in keys]
    for pattern, label in _FOREIGN:
        if any(re.search(pattern, key) for key in keys):
            return label
    return None


def describe(keys):
    """Guesses what a checkpoint is, or shows its first names.

    Args:
        keys: list of str.

    Returns:
        str, a clause for an error message.
    """
    label = foreign_architecture(keys)
    if label:
        return f"it seems to be {label} ({some(keys, 1)})"
    return f"its weights are {some(keys)}"


@dataclass
class Plan:
    """What a file offers a model.

    Args:
        file: Path of the file or the index.
        names: `NameTable` of the model.
        found: dict of (LazyTensor, transform) by path of our variable.
        unexpected: list of keys that the model has no variable for.
        tied: list of LazyTensor, further copies of the shared embeddings.
    """

    file: Path
    names: NameTable
    found: dict = field(default_factory=dict)
    unexpected: list = field(default_factory=list)
    tied: list = field(default_factory=list)


def make_plan(paths, tensors, file, names):
    """Matches a file's tensors with a model's variables by name.

    Args:
        paths: the paths of the model's variables, all with or all without the prefix;
            the file's names may be of either kind and of any dialect of `names`.
        tensors: dict of `LazyTensor` by key.
        file: Path, for messages.
        names: `NameTable`.

    Returns:
        `Plan`.

    Raises:
        CheckpointError: if a weight is there twice, or the file is of another
            architecture.
    """
    ours = {names.bare(path): path for path in paths}
    plan = Plan(file, names)
    recognised = names.recognise(tensors)
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
    tables = {plan.names.shared: keep, **dict(plan.names.untied.values())}
    present = [name for name in tables if ours.get(name) in plan.found]
    if not present:
        return
    tensor, _ = plan.found[ours[present[0]]]
    for name, wanted in tables.items():
        if name in ours and ours[name] not in plan.found:
            plan.found[ours[name]] = (tensor, wanted)


def _check_architecture(plan, keys):
    # Some weights prove nothing: many models have a `shared` or a `final_logits_bias`.
    is_known = any(plan.names.identifies_model(path) for path in plan.found)
    if not is_known or foreign_architecture(plan.unexpected):
        found = describe(plan.unexpected or keys)
        raise CheckpointError(f"`{plan.file}` holds no {plan.names.model}: {found}.")


def check_dtypes(plan):
    """Checks that all weights are plain floats: casting others would give nonsense.

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
    """Checks that a file's copies of the shared embeddings are all the same.

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
        if plan.names.bare(path) == plan.names.shared
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
