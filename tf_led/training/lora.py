"""Low-rank adapters (LoRA, arXiv 2106.09685) on Keras layers that offer them.

Keras has the adapters; here they are put on, taken in and taken off again.
"""

import keras
import numpy as np

from tf_led.checkpoints.peft import LARGEST_ALPHA


def check_rank(rank, alpha, layers=()):
    """Checks the numbers of an adapter.

    Args:
        rank: what is to be an int >= 1.
        alpha: what is to be a number above 0, or None.
        layers: iterable of `keras.layers.Dense` or `Embedding` that are to have it.

    Raises:
        ValueError: naming the value.
    """
    if type(rank) is not int or rank < 1:
        raise ValueError(f"`rank` must be an int of at least 1, got {rank!r}.")
    if alpha is not None and not 0 < alpha < LARGEST_ALPHA:
        raise ValueError(
            f"`alpha` must be above 0 and below {LARGEST_ALPHA:g}, got {alpha!r:.80}."
        )
    largest = max((max(weight_of(layer).shape) for layer in layers), default=rank)
    if rank > largest:
        raise ValueError(
            f"`rank` is {rank}, but no weight that gets an adapter has more than "
            f"{largest} rows or columns: give at most {largest} (4 to 64 are usual)."
        )


def add_adapters(layers, rank, alpha):
    """Puts fresh adapters on layers; each then computes what it did before.

    Args:
        layers: iterable of built `keras.layers.Dense` or `Embedding`.
        rank: int >= 1.
        alpha: number; the adapters' product counts alpha / rank.
    """
    for layer in layers:
        layer.enable_lora(rank, lora_alpha=alpha)


def adapters_of(layer):
    """The two factors of a layer's adapter.

    Args:
        layer: `keras.layers.Dense` or `Embedding` with an adapter.

    Returns:
        keras.Variable float[in, rank] and float[rank, out].
    """
    return tuple(getattr(layer, name) for name in _names(layer))


def weight_of(layer):
    """The weight that a layer's adapter is added to, without it.

    Args:
        layer: `keras.layers.Dense` or `Embedding`.

    Returns:
        keras.Variable.
    """
    is_dense = isinstance(layer, keras.layers.Dense)
    return layer._kernel if is_dense else layer._embeddings


class MergedWeight:
    """A weight with its adapter added, computed when it is read.

    It stands for a `keras.Variable` where weights are saved, one at a time.

    Args:
        layer: `keras.layers.Dense` or `Embedding` with an adapter.
    """

    def __init__(self, layer):
        self.layer = layer
        self.shape = weight_of(layer).shape
        self.dtype = weight_of(layer).dtype

    def __array__(self, dtype=None, copy=None):
        # Not `layer.kernel`: under a mixed policy that is of half precision.
        weight = keras.ops.convert_to_numpy(weight_of(self.layer))
        left, right = map(keras.ops.convert_to_numpy, adapters_of(self.layer))
        scale = self.layer.lora_alpha / self.layer.lora_rank
        merged = weight.astype("float32") + scale * (left @ right)
        return merged.astype(dtype or weight.dtype)


def merge_adapter(layer):
    """Adds a layer's adapter to its weight, and takes it off.

    Args:
        layer: `keras.layers.Dense` or `Embedding` with an adapter.
    """
    weight_of(layer).assign(np.asarray(MergedWeight(layer)))
    for name, variable in zip(_names(layer), adapters_of(layer), strict=True):
        layer._untrack_variable(variable)
        # Not Keras' own, which collects garbage for seconds, for every variable.
        super(keras.layers.Layer, layer).__delattr__(name)
    layer.lora_enabled = False
    layer.lora_rank = layer.lora_alpha = None


def _names(layer):
    kind = "kernel" if isinstance(layer, keras.layers.Dense) else "embeddings"
    return f"lora_{kind}_a", f"lora_{kind}_b"
