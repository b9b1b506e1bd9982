"""The names that transformers' TensorFlow LED (up to 4.57) gave to LED's weights.

Derived from PyTorch's table: `led.encoder.layers.0.fc1.weight` was
`led/encoder/layers.0/fc1/kernel:0`. Values are laid out as ours. In tf_model.h5 the
name of the Keras model stands in front (`tfled_model/led/...`), in another file that
model's name and a number, in none of them anything that could be relied upon: names are
recognised by their end.
"""

import re

from tf_led.checkpoints.names import pytorch as names

_SHARED = "led.shared"
_COUNTER = re.compile(r":\d+$")
_LAYER = re.compile(r"(?<=/layers[./])(0|[1-9][0-9]{0,5})(?=/)")


def _tf_pattern(key, ours):
    """`encoder.layers.{}.fc1.weight`, ours ending in kernel -> the old pattern."""
    stem, dot, _ = key.rpartition(".")
    if not dot:
        return key
    stem = stem.replace(".", "/").replace("layers/{}", "layers.{}")
    return f"{stem}/{ours.rpartition('/')[2]}"


_FROM_TF = {
    _tf_pattern(key, ours): ours
    for key, (ours, _) in (names.BODY | names.HEADS).items()
}
_TO_TF = {ours: name for name, ours in _FROM_TF.items()}
_HEADS = {ours for ours, _ in names.HEADS.values()}


def is_tf_name(key):
    """Whether a key is one of TensorFlow's: PyTorch's have neither `/` nor `:`."""
    return "/" in key or _COUNTER.search(key) is not None


def to_ours(key):
    """Finds our path for one of the old TensorFlow names.

    Args:
        key: str, with or without the number behind it (`:0`), with any model's and
            layer's names in front.

    Returns:
        (path, transform), the path without `led/`; None if LED has no such weight. The
        transform changes nothing: the kernels of both are [in, out].

    Example:
        >>> from tf_led.checkpoints.names.tensorflow import to_ours
        >>> to_ours("tfled_model_1/led/encoder/layers.3/fc1/kernel:0")[0]
        'encoder/layers/3/fc1/kernel'
    """
    parts = _COUNTER.sub("", key).replace(_SHARED, "shared").split("/")
    for start in range(len(parts)):
        path = _look_up("/".join(parts[start:]))
        if path is not None:
            return path, names.keep
    return None


def to_tf(path):
    """Finds the old TensorFlow name of one of our paths.

    Args:
        path: str, with or without `led/`.

    Returns:
        str as the old classes' safetensors and shards have it; in a single tf_model.h5
        the Keras model's name stands in front of it. None for a weight that the old
        classes did not have.

    Example:
        >>> from tf_led.checkpoints.names.tensorflow import to_tf
        >>> to_tf("led/encoder/layers/3/fc1/kernel")
        'led/encoder/layers.3/fc1/kernel:0'
        >>> to_tf("led/shared/embeddings")
        'led.shared/embeddings:0'
    """
    bare = names.bare(path)
    if bare == names.SHARED:
        return f"{_SHARED}/embeddings:0"
    number = _LAYER.search(bare)
    pattern = _TO_TF.get(_LAYER.sub("{}", bare, count=1))
    if pattern is None or ("{}" in pattern) != (number is not None):
        return None
    name = pattern.replace("{}", number[0] if number else "")
    return f"{name}:0" if pattern in _HEADS or bare in _HEADS else f"led/{name}:0"


def _look_up(name):
    number = _LAYER.search(name)
    pattern = _LAYER.sub("{}", name, count=1)
    # TFSharedEmbeddings, of versions before 4.22, called its table `weight`.
    ours = _FROM_TF.get(pattern) or _FROM_TF.get(_embeddings(pattern))
    if ours is None or ("{}" in ours) != (number is not None):
        return None
    return ours.replace("{}", number[0] if number else "")


def _embeddings(name):
    return f"{name.removesuffix('/weight')}/embeddings"
