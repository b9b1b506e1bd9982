"""Every weight of a model by the path that the checkpoint table knows."""

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
