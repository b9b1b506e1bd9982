"""Quantised matrices, and the weights that a checkpoint holds of a model."""

import contextlib
import gc
import warnings
from typing import Any

import keras

from tf_led.models.pretrained.editing import forget_compiled
from tf_led.models.pretrained.weight_table import layer_table
from tf_led.training import lora
from tf_led.utils.versions import filters_option


def quantize(
    model,
    mode: str | None = None,
    config: Any = None,
    filters: Any = None,
    **kwargs: Any,
) -> None:
    """Turns matrices into small integers, as `keras.Model.quantize`.

    Args:
        mode: "int8" or "int4".
        config: likewise.
        filters: likewise.
        **kwargs: likewise.

    Raises:
        ValueError: if the model has LoRA adapters.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.quantize("int8")
        >>> model.quantization()["led/encoder/layers/0/fc1"]
        'int8'
    """
    if model.adapters():
        raise ValueError(
            f"quantize({mode!r}) of a model with LoRA adapters: merge_lora() first."
        )
    with _cheap_collection(), warnings.catch_warnings():
        # Keras says so of every LayerNormalization: a norm has no matrix.
        warnings.filterwarnings("ignore", "Layer .* does not have a `quantize`")
        keras.Model.quantize(
            model, mode, config=config, **filters_option(filters), **kwargs
        )
    forget_compiled(model)


def quantization(model) -> dict[str, str]:
    """Which layers are quantised.

    Returns:
        Dict from path, such as "led/encoder/layers/0/fc1", to mode.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.quantization()
        {}
    """
    table = layer_table(model)
    modes = {path: layer.quantization_mode for path, layer in table.items()}
    return {path: mode for path, mode in modes.items() if mode is not None}


def weights_to_save(model) -> dict[str, keras.Variable]:
    """The weights as a checkpoint is to hold them, LoRA adapters merged.

    Returns:
        Dict from path to keras.Variable, or to what has its shape, dtype and array.

    Raises:
        ValueError: if the model is quantised: its weights lack their scales.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.weights_to_save()["led/encoder/layers/0/fc1/kernel"].shape
        TensorShape([12, 17])
    """
    table = model.weight_table()
    merged = {
        id(lora.weight_of(layer)): lora.MergedWeight(layer)
        for layer in model.adapters().values()
    }
    for path in model.quantization():
        raise ValueError(
            f"`{path}` is quantised, which PyTorch's format has no place for: "
            "use model.save('model.keras'), or save before quantize."
        )
    return {path: merged.get(id(v), v) for path, v in table.items()}


@contextlib.contextmanager
def _cheap_collection():
    """Keras collects garbage once for each variable that it replaces.

    Looking at everything that was there before takes far longer than quantising.
    """
    was_frozen = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()
