"""What methods that edit a built model share: new variables, a new config."""

import copy
from collections.abc import Mapping
from numbers import Real

import keras
import tensorflow as tf

from tf_led.utils.annotations import TensorLike
from tf_led.utils.validation import as_positive_int


def take_config(model, **changes):
    """Replaces the config by a changed copy; the old object stays as it is.

    Args:
        **changes: fields of `LEDConfig`.
    """
    config = copy.deepcopy(model.config)
    for name, value in changes.items():
        setattr(config, name, value)
    model.config = config
    model.remember_config(*changes)


def token_tables(model):
    """The token embeddings, each once: one for all, or three that are not tied."""
    led = model.led
    tables = (led.shared, led.encoder.embed_tokens, led.decoder.embed_tokens)
    return list({id(table): table for table in tables}.values())


def forget_compiled(model):
    """Has `fit`, `predict`, `generate` and `serving` compiled anew."""
    model.train_function = model.test_function = model.predict_function = None
    model.__dict__.pop("serving", None)
    model.__dict__.get("_compiled_generation", {}).clear()


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
    """Reads a size that may be left out; raises for what is no size.

    Args:
        value: int or None.
        name: str, its argument.
        default: int, for None.

    Returns:
        int.

    Raises:
        ValueError: naming both.
    """
    return default if value is None else as_positive_int(name, value)


def check_plain(embedding, what):
    """Raises an error for a layer whose table is not all there is to it.

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
    """Raises an error for an optimizer that would go on with state of the old size.

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


def perturb_bos_embedding(
    model, stddev: float | None = None, seed: int | None = None
) -> None:
    """Adds noise to the embedding of the token `<s>`, to be trained after that.

    Models that come of bart-large, led-large among them, can learn to write
    `</s><s><s><s>` without end, and their loss on held-out texts stays high: the
    embedding that the pretraining left for `<s>` is at fault. With a little noise
    on it such models train as they should. Use it once, before `fit`; the weights
    of all other tokens stay as they are.

    Args:
        stddev: float above 0, of the noise; None for the config's `init_std`.
        seed: int that repeats the noise, or None.

    Raises:
        ValueError: if `stddev` is not above 0, if the config has no `bos_token_id`
            below its `vocab_size`, or if the embedding is quantised or has LoRA
            weights.

    Source: the cause and the remedy were found by a user of transformers (issue
    15559 of its repository).

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> model.perturb_bos_embedding(seed=0)
    """
    stddev = model.config.init_std if stddev is None else stddev
    is_number = isinstance(stddev, Real) and not isinstance(stddev, bool)
    if not (is_number and stddev > 0):
        raise ValueError(f"`stddev` must be above 0, got {stddev!r}.")
    bos = model.config.bos_token_id
    if bos is None or not 0 <= bos < model.config.vocab_size:
        raise ValueError(
            f"The config's `bos_token_id` is {bos!r}, no token of "
            f"{model.config.vocab_size}."
        )
    tables, head = token_tables(model), getattr(model, "lm_head", None)
    for layer in (*tables, *filter(None, [head])):
        check_plain(layer, "The token embedding")
    draw = _normal(seed)
    for table in tables:
        noise = draw([1, model.config.d_model], stddev=stddev)
        _add_to_row(table._embeddings, bos, noise)
    if head is not None:
        noise = draw([model.config.d_model, 1], stddev=stddev)
        is_bos = tf.range(model.config.vocab_size)[None] == bos
        noise = tf.where(is_bos, noise, 0.0)  # [D, V]
        head._kernel.assign_add(tf.cast(noise, head._kernel.dtype))


def _normal(seed):
    if seed is None:
        return tf.random.normal
    return tf.random.Generator.from_seed(seed).normal


def _add_to_row(table, row, noise):
    values = tf.convert_to_tensor(table)
    noise = tf.cast(noise, values.dtype)
    table.assign(tf.tensor_scatter_nd_add(values, [[row]], noise))


def get_input_embeddings(model) -> keras.layers.Embedding:
    """Gives the token embedding, shared by encoder and decoder.

    Returns:
        Keras layer; its table is `embeddings`, float[V, D].

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.get_input_embeddings().embeddings.shape
        TensorShape([29, 12])
    """
    return model.led.shared


def set_input_embeddings(model, value: TensorLike | keras.layers.Layer) -> None:
    """Overwrites the token embedding.

    Args:
        value: float[V, D] array or tensor, or a layer that has one.

    Raises:
        ValueError: if the shape differs; `resize_token_embeddings` changes V.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> import numpy as np
        >>> model.set_input_embeddings(np.ones([29, 12]))
        >>> float(model.get_input_embeddings().embeddings[3, 7])
        1.0
    """
    values = tf.convert_to_tensor(getattr(value, "embeddings", value))
    table = model.led.shared.embeddings
    if tuple(values.shape) != tuple(table.shape):
        raise ValueError(
            f"`value` has shape {tuple(values.shape)}, expected "
            f"{tuple(table.shape)}; use resize_token_embeddings to change it."
        )
    led = model.led
    for layer in {led.shared, led.encoder.embed_tokens, led.decoder.embed_tokens}:
        layer._embeddings.assign(values)


def set_output_embeddings(model, value: TensorLike | keras.layers.Layer) -> None:
    """Does what `set_input_embeddings` does: there is one table.

    Of a model with `tie_word_embeddings=False` it changes the projection alone.

    Args:
        value: float[V, D] array or tensor, or a layer that has one.

    Raises:
        ValueError: on another shape.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> import numpy as np
        >>> model.set_output_embeddings(np.zeros([29, 12]))
        >>> float(model(input_ids=[[0, 2]]).logits[0, 0, 7])
        0.0
    """
    if model.lm_head is None:
        model.set_input_embeddings(value)
        return
    kernel = getattr(value, "kernel", None)
    if kernel is None:
        kernel = tf.transpose(getattr(value, "embeddings", value))
    expected = tuple(model.lm_head.kernel.shape)
    if tuple(kernel.shape) != expected:
        raise ValueError(
            f"`value` has shape {tuple(kernel.shape)[::-1]}, expected {expected[::-1]}."
        )
    model.lm_head.kernel.assign(kernel)


def set_bias(model, value: Mapping[str, TensorLike]) -> None:
    """Overwrites the bias on the logits.

    Args:
        value: {"final_logits_bias": float[1, V]}.

    Raises:
        ValueError: on another key or shape.

    Example:
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> import numpy as np
        >>> model.set_bias({"final_logits_bias": np.ones([1, 29])})
        >>> float(model.get_bias()["final_logits_bias"][0, 7])
        1.0
    """
    expected = tuple(model.final_logits_bias.shape)
    if set(value) != {"final_logits_bias"}:
        raise ValueError(
            f"`value` has keys {sorted(value)}, expected ['final_logits_bias']."
        )
    bias = tf.convert_to_tensor(value["final_logits_bias"])
    if tuple(bias.shape) != expected:
        raise ValueError(
            f"`final_logits_bias` has shape {tuple(bias.shape)}, expected {expected}."
        )
    model.final_logits_bias.assign(bias)
