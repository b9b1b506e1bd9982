"""The names that transformers' TensorFlow classes (up to 4.57) gave to weights.

Derived from PyTorch's: `led.encoder.layers.0.fc1.weight` was
`led/encoder/layers.0/fc1/kernel:0`. Values are laid out as ours. In tf_model.h5 the
name of the Keras model stands in front (`tfled_model/led/...`), in another file that
model's name and a number, in others nothing: names are recognised by their end.
"""

import functools
import re
from dataclasses import replace

from tf_led.checkpoints.names.table import Row, keep, look_up

_COUNTER = re.compile(r":\d+$")
_OLD_NAME = re.compile(r"/|:\d+$")  # PyTorch's names have neither


def recognise(table, keys):
    """Finds out what the old TensorFlow names among some names mean.

    Args:
        table: `NameTable`.
        keys: list of str.

    Returns:
        dict of `Row` by key, for each key that is a TensorFlow name. The transform
        changes nothing: the kernels of both are [in, out].
    """
    old = [key for key in keys if _OLD_NAME.search(key)]
    return {key: Row(*(to_ours(table, key) or (None, None))) for key in old}


DIALECT = (_OLD_NAME, recognise)


def to_ours(table, key):
    """Finds our path for one of the old TensorFlow names.

    Args:
        table: `NameTable`.
        key: str, with or without the number behind it (`:0`), with any model's and
            layer's names in front.

    Returns:
        (path, transform), the path without the prefix; None if the architecture has no
        such weight.

    Example:
        >>> from tf_led.checkpoints.names.led import LED_NAMES
        >>> from tf_led.checkpoints.names.tensorflow import to_ours
        >>> to_ours(LED_NAMES, "tfled_model_1/led/encoder/layers.3/fc1/kernel:0")[0]
        'encoder/layers/3/fc1/kernel'
    """
    shared = table.shared.partition("/")[0]
    name = _COUNTER.sub("", key).replace(f"{table.prefix}.{shared}", shared)
    parts, rows = name.split("/"), _from_old(table)
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        # TFSharedEmbeddings, of versions before 4.22, called its table `weight`.
        row = look_up(end, rows) or look_up(_as_embeddings(end), rows)
        if row is not None:
            return row
    return None


def to_old(table, path):
    """Finds the old TensorFlow name of one of our paths.

    Args:
        table: `NameTable`.
        path: str, with or without the prefix.

    Returns:
        str as the old classes' safetensors and shards have it. None for a weight that
        the old classes did not have.

    Example:
        >>> from tf_led.checkpoints.names.led import LED_NAMES
        >>> from tf_led.checkpoints.names.tensorflow import to_old
        >>> to_old(LED_NAMES, "led/encoder/layers/3/fc1/kernel")
        'led/encoder/layers.3/fc1/kernel:0'
        >>> to_old(LED_NAMES, "led/shared/embeddings")
        'led.shared/embeddings:0'
    """
    bare = table.bare(path)
    if bare == table.shared:
        return f"{table.prefix}.{bare}:0"
    row = look_up(bare, _to_old(table))
    if row is None:
        return None
    return f"{row[0]}:0" if row[1] else f"{table.prefix}/{row[0]}:0"


def rename_for_h5(table, tensors):
    """Gives PyTorch's tensors the names and the layout of a tf_model.h5.

    Args:
        table: `NameTable`.
        tensors: dict of `LazyTensor` by PyTorch's name.

    Returns:
        dict of `LazyTensor` by the path of the dataset in the file: the layer, then the
        name of the weight.

    Raises:
        ValueError: if a weight is not one that the old classes had a name for, as
            those of a model with `tie_word_embeddings=False`.
    """
    heads = {key.split(".")[0] for key in tensors}
    names = table.keras_models
    model = next((names[head] for head in names if head in heads), names[""])
    keys = {_path_in_h5(table, key, model): key for key in tensors}
    # The body first, as the old classes listed their layers.
    paths = sorted(keys, key=lambda path: not path.startswith(f"{table.prefix}/"))
    return {path: _as_ours(table, tensors[keys[path]], path) for path in paths}


def _path_in_h5(table, key, model):
    ours = None if table.bare(key) in table.untied else table.to_ours(key)
    name = to_old(table, ours[0]) if ours else None
    if name is None:
        raise ValueError(
            f"`{key}` has no name in transformers' TensorFlow {table.model}, so "
            "tf_model.h5 cannot hold it; save as safetensors."
        )
    layer = name.split("/")[0].split(".")[0].split(":")[0]
    if name == to_old(table, table.shared):  # a layer that they named themselves
        return f"{layer}/{name.partition('/')[0]}/{name}"
    return f"{layer}/{model}/{name}" if "/" in name else f"{layer}/{name}"


def _as_ours(table, tensor, path):
    _, transform = table.to_ours(tensor.name)  # its own inverse
    return replace(
        tensor,
        name=path,
        shape=transform.shape_in_file(tensor.shape),
        read=lambda: transform(tensor.read()),
        place=None,
    )


@functools.cache
def _from_old(table):
    """Rows of (our path, `keep`) by the old name, `{}` for the number of a layer."""
    rows = {**table.body, **table.heads}
    return {_old_pattern(key, ours): (ours, keep) for key, (ours, _) in rows.items()}


@functools.cache
def _to_old(table):
    """Rows of (old name, whether it is a head's) by our path."""
    heads = {ours for ours, _ in table.heads.values()}
    return {ours: (old, ours in heads) for old, (ours, _) in _from_old(table).items()}


def _old_pattern(key, ours):
    """`encoder.layers.{}.fc1.weight`, ours ending in kernel -> the old pattern."""
    stem, dot, _ = key.rpartition(".")
    if not dot:
        return key
    stem = stem.replace(".", "/").replace("layers/{}", "layers.{}")
    return f"{stem}/{ours.rpartition('/')[2]}"


def _as_embeddings(name):
    return f"{name.removesuffix('/weight')}/embeddings"
