"""Longer documents: more positions, other windows."""

import copy

import tensorflow as tf

from tf_led.models.config import window_radii
from tf_led.models.editing import (
    EditingMixin,
    as_size,
    check_optimizer,
    check_plain,
    resize_embedding,
)


class PositionsMixin(EditingMixin):
    """Changes how long a document may be, and how far its tokens see."""

    def resize_position_embeddings(
        self, new_num_position_embeddings=None, *, decoder_positions=None
    ):
        """Gives the encoder, and the decoder if asked, another number of positions.

        Further positions are copies of those that there are, over and over from the
        first; fewer are the first ones. The model gets a new config; the old object
        stays as it is. What the model has compiled is compiled anew; a `tf.function`
        of your own that was traced before fails from now on: make it again.

        Args:
            new_num_position_embeddings: int, the most tokens of a document, such as
                32768; None for as many as now.
            decoder_positions: int, the most tokens of a text that the decoder writes;
                None for as many as now.

        Raises:
            ValueError: if a number is not at least 1, if a table is quantised, or if
                the model was compiled with an optimizer that holds state for the old
                one.

        Source: Longformer (arXiv 2004.05150), section 5.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config(max_encoder_position_embeddings=64))
            >>> model.resize_position_embeddings(160)
            >>> model.config.max_encoder_position_embeddings
            160
        """
        sizes = {
            "encoder": (new_num_position_embeddings, "new_num_position_embeddings"),
            "decoder": (decoder_positions, "decoder_positions"),
        }
        changes = {}
        for half, (value, name) in sizes.items():
            table = getattr(self.led, half).embed_positions
            size = as_size(value, name, default=table.input_dim)
            if size != table.input_dim:
                check_plain(table, f"The position embedding of the {half}")
                changes[half] = size
        if not changes:
            return
        check_optimizer(getattr(self, "optimizer", None))
        with self.distribute_strategy.scope():
            for half, size in changes.items():
                table = getattr(self.led, half).embed_positions
                resize_embedding(table, size, _repeat_rows)
        self._forget_compiled()
        fields = {f"max_{half}_position_embeddings": n for half, n in changes.items()}
        self._take_config(**fields)

    def set_attention_window(self, attention_window):
        """Has every token of the encoder see another number of neighbours.

        No weight depends on the window. The model gets a new config; the old object
        stays as it is. What the model has compiled is compiled anew; a `tf.function` of
        your own that was traced before goes on with the old window: make it again.

        Args:
            attention_window: int, the whole window of every layer, even; or a list of
                such, one for each layer of the encoder.

        Raises:
            ValueError: if a window is not even and at least 2, or the list has another
                length.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config(attention_window=4))
            >>> model.set_attention_window([6, 10])
            >>> model.config.attention_window
            [6, 10]
        """
        windows = _as_windows(attention_window)
        config = copy.copy(self.config)
        config.attention_window = windows
        radii = window_radii(config)
        for layer, radius in zip(self.led.encoder.layers, radii, strict=True):
            layer.self_attn.radius = radius
        self._forget_compiled()
        self._take_config(attention_window=windows)


def _repeat_rows(table, num_added):
    """The rows that come after [P, D]: its own again, from the first on."""
    return tf.gather(table, tf.range(num_added) % table.shape[0])


def _as_windows(value):
    listed = value if isinstance(value, (list, tuple)) else [value]
    if any(
        isinstance(window, bool) or not hasattr(window, "__index__")
        for window in listed
    ):
        raise ValueError(
            "`attention_window` must be an even int, or a list of one per layer of the "
            f"encoder, got {value!r}."
        )
    windows = [int(window) for window in listed]
    return windows if isinstance(value, (list, tuple)) else windows[0]
