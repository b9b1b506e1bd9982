"""The weights and the adaptable layers of a model, by their paths in checkpoints."""

import re

import keras

WEIGHT_NAMES = ("kernel", "bias", "gamma", "beta", "embeddings", "final_logits_bias")
# Attributes that Keras reserves, or that number a list, under their checkpoint names.
RENAMED = [(r"\boutput_proj\b", "output"), (r"\blayers_(\d+)\b", r"layers/\1")]


def weight_table(layer):
    """Lists the weights of a built layer or model.

    Args:
        layer: keras layer whose attributes are the path: `encoder.layers_0.fc1` gives
            `encoder/layers/0/fc1/kernel`.

    Returns:
        Dict from path to keras.Variable, each variable once, under the first of its
        paths.
    """
    return {_rename(path): variable for path, variable in _walk(layer, "", set())}


def layer_table(layer):
    """Lists the layers inside a built layer or model that LoRA can adapt.

    Args:
        layer: keras layer, as for `weight_table`.

    Returns:
        Dict from path, such as `encoder/layers/0/fc1`, to Keras Dense or Embedding.
    """
    return {_rename(path): found for path, found in _walk_layers(layer, "", set())}


def matches(name, path):
    """Whether a name is a whole part of a path, or several parts in a row.

    Args:
        name: str, such as "fc1" or "decoder/layers/0".
        path: str of `weight_table` or `layer_table`.

    Returns:
        bool.
    """
    return f"/{name.strip('/')}/" in f"/{path}/"


def _walk_layers(layer, path, seen):
    for name, value in vars(layer).items():
        if not isinstance(value, keras.layers.Layer) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, (keras.layers.Dense, keras.layers.Embedding)):
            yield path + name, value
        yield from _walk_layers(value, f"{path}{name}/", seen)


def _walk(layer, path, seen):
    for name, value in vars(layer).items():
        if id(value) in seen:
            continue
        if isinstance(value, keras.layers.Layer):
            seen.add(id(value))
            yield from _walk(value, f"{path}{name}/", seen)
        elif isinstance(value, keras.Variable) and value.name in WEIGHT_NAMES:
            seen.add(id(value))
            yield path + value.name, value


def _rename(path):
    for pattern, replacement in RENAMED:
        path = re.sub(pattern, replacement, path)
    return path
