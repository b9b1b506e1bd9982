"""What `model.summary()` shows: encoder, decoder and head, and the layers in them."""

from collections.abc import Callable
from typing import Any

import keras

from tf_led.layers.classification_head import ClassificationHead


def summary(
    model,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: list[str] | tuple[str, str] | None = None,
) -> None:
    """Prints encoder, decoder and head with their shapes and parameters.

    The token embedding is one table, which encoder and decoder share: it stands in
    a row of its own and counts in theirs too, in the total once.

    Args:
        line_length: int, characters of a line; None for the terminal's.
        positions: list of float, where each column ends, of the line's length.
        print_fn: function of a str; None for `print`.
        expand_nested: bool, whether to show the layers within, to the last.
        show_trainable: bool, whether to say which of them train.
        layer_range: pair of str, the names of the first and the last row.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> lines = []
        >>> TFLEDModel(tiny_config()).summary(print_fn=lines.append)
        >>> [name in lines[0] for name in ("shared", "encoder", "decoder")]
        [True, True, True]
    """
    keras.Model.summary(
        ModelView(model),
        line_length=line_length,
        positions=positions,
        print_fn=print_fn,
        expand_nested=expand_nested,
        show_trainable=show_trainable,
        layer_range=layer_range,
    )


class ModelView:
    """A model as `keras.Model.summary` reads it: with the parts of `led` for layers."""

    def __init__(self, model):
        self._model = model
        led = model.led
        heads = [layer for layer in model.layers if layer is not led]
        self.layers = [
            make_row(layer, model.config.d_model, led.shared)
            for layer in (led.shared, led.encoder, led.decoder, *heads)
        ]

    def __getattr__(self, name):
        return getattr(self._model, name)


class Row:
    """A layer as Keras' table reads it."""

    _inbound_nodes = ()
    _build_shapes_dict = True  # Keras shows no shape of what has none

    def __init__(self, layer, width, shared, axes):
        self._layer = layer
        self.output_shape = (*axes, size_of(layer, width))
        self.layers = [
            make_row(part, width, shared, axes)
            for part in vars(layer).values()
            if isinstance(part, keras.layers.Layer) and part is not shared
        ]

    def __getattr__(self, name):
        return getattr(self._layer, name)


def make_row(layer, width, shared, axes=(None, None)):
    """Makes the Row of a layer and of those within.

    Args:
        layer: Keras layer.
        width: int, D, of the hidden states.
        shared: the token embedding, which is shown in a row of its own alone.
        axes: tuple of None, those before the last.

    Returns:
        A Row that has the name of the layer's class: the table shows it.
    """
    kind = type(type(layer).__name__, (Row,), {})
    one_a_document = isinstance(layer, ClassificationHead)
    return kind(layer, width, shared, (None,) if one_a_document else axes)


def size_of(layer, width):
    """The last axis of what a layer returns: int."""
    names = ("units", "num_labels", "output_dim")  # Dense, our head, Embedding
    return next((getattr(layer, n) for n in names if hasattr(layer, n)), width)
