"""What methods that edit a built model share: new variables, a new config."""

import copy
import operator

import tensorflow as tf

from tf_led.models.backbone.config import window_radii


class EditingMixin:
    """Gives a model another config, and makes it forget what it has compiled."""

    def _take_config(self, **changes):
        """Replaces the config by a changed copy; the old object stays as it is.

        Args:
            **changes: fields of `LEDConfig`.
        """
        config = copy.deepcopy(self.config)
        for name, value in changes.items():
            setattr(config, name, value)
        for part in (self, self.led, self.led.encoder, self.led.decoder):
            part.config = config

    def _token_tables(self):
        """The token embeddings, each once: one for all, or three that are not tied."""
        led = self.led
        tables = (led.shared, led.encoder.embed_tokens, led.decoder.embed_tokens)
        return list({id(table): table for table in tables}.values())

    def _forget_compiled(self):
        """Has `fit`, `predict`, `generate` and `serving` compiled anew."""
        self.train_function = self.test_function = self.predict_function = None
        self.__dict__.pop("serving", None)
        self.__dict__.get("_compiled_generation", {}).clear()


def resize_embedding(embedding, new_size, draw):
    """Gives an embedding layer another number of rows, keeping the first.

    Args:
        embedding: keras.layers.Embedding.
        new_size: int, V'.
        draw: called with the old table, float[V, D], and the number of rows to add, n;
            returns float[n, D].
    """
    old = embedding._embeddings
    values = tf.convert_to_tensor(old.value)
    embedding.input_dim = new_size
    embedding.built = False
    replace_weight(embedding, old, lambda: embedding.build((None, None)))
    embedding._embeddings.trainable = old.trainable
    embedding._embeddings.assign(resize_rows(values, new_size, draw))


def resize_rows(values, new_size, draw):
    """Cuts [V, ...] to its first V' rows, or adds what `draw(values, V' - V)` gives."""
    rows = draw(values, max(0, new_size - values.shape[0]))
    return tf.concat([values[:new_size], tf.cast(rows, values.dtype)], axis=0)


def replace_weight(layer, old, add_new):
    """Lets a layer, which Keras has locked, add a variable in place of an old one."""
    layer._untrack_variable(old)
    layer._tracker.unlock()
    add_new()
    layer._tracker.lock()
    _retire(old)


def _retire(variable):
    """Makes a variable unreadable: graphs that captured it would use stale weights."""
    value = variable.value
    for copy_of_value in getattr(value, "values", [value]):  # one for each replica
        tf.raw_ops.AssignVariableOp(
            resource=copy_of_value.handle,
            value=tf.zeros([], value.dtype),
            validate_shape=False,
        )


def as_size(value, name, default):
    """Reads a size that may be left out, refusing what is none.

    Args:
        value: int or None.
        name: str, its argument.
        default: int, for None.

    Returns:
        int.

    Raises:
        ValueError: naming both.
    """
    if value is None:
        return default
    try:
        size = operator.index(value)
    except TypeError:
        size = 0
    if size < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an int of at least 1, got {value!r}.")
    return size


def check_plain(embedding, what):
    """Refuses a layer whose table is not all there is to it.

    Args:
        embedding: keras.layers.Embedding or Dense.
        what: str, how a message calls it.

    Raises:
        ValueError: saying what it is instead.
    """
    if embedding.quantization_mode is not None or embedding.lora_enabled:
        state = embedding.quantization_mode or "LoRA"
        raise ValueError(
            f"{what} has {state} weights, which cannot be resized. Resize the model "
            "first, then quantise it or add LoRA."
        )


def check_optimizer(optimizer):
    """Refuses an optimizer that would go on with state of the old size.

    Args:
        optimizer: the model's, or None.

    Raises:
        ValueError: naming it.
    """
    if optimizer is not None and optimizer.built:
        raise ValueError(
            f"The model is compiled with {type(optimizer).__name__}, which holds state "
            "for the old table. Resize before training, or call "
            "model.compile(optimizer) with a new optimizer first."
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
