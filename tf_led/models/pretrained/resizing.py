"""Other sizes of a model: its vocabulary, its positions, its attention window."""

import copy
import functools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_led.models.config import window_radii
from tf_led.models.pretrained.editing import (
    as_size,
    check_optimizer,
    check_plain,
    forget_compiled,
    replace_weight,
    resize_embedding,
    resize_rows,
    take_config,
    token_tables,
)

# New rows spread this little around the mean: enough to tell them apart.
VARIANCE_SCALE = 1e-9
SPECIAL_IDS = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
)


def resize_token_embeddings(
    model,
    new_num_tokens: int | None = None,
    pad_to_multiple_of: int | None = None,
    mean_resizing: bool = True,
) -> keras.layers.Embedding:
    """Gives the vocabulary another size, V', keeping the first tokens' weights.

    Encoder, decoder and output projection go on sharing one table; with
    `tie_word_embeddings=False` each keeps its own. The bias on the logits gets
    zeros. The model gets a new config with `vocab_size` V'; the old
    config object stays as it is. What the model has compiled (`fit`, `predict`,
    `generate`, `serving`) is compiled anew; a `tf.function` of your own that was
    traced before fails from now on: make it again. So does a reference to the old
    table.

    Args:
        new_num_tokens: int, V'; None for the present size.
        pad_to_multiple_of: int or None. V' is rounded up to a multiple of it.
        mean_resizing: bool. True draws new rows close to the mean of the old ones,
            with their covariance times 1e-9, so that new tokens hardly change the
            probabilities of the others; False draws them as a new model does.
            `tf.random.set_seed` makes either repeat.

    Returns:
        The token embedding, as `get_input_embeddings()`.

    Raises:
        ValueError: if V' is no positive int or would cut off a special token; if
            the embedding is quantised or has LoRA weights; or if the model was
            compiled with an optimizer that holds state for the old table.

    Source: transformers 5.23, method of this name.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.resize_token_embeddings(31).embeddings.shape
        TensorShape([31, 12])
        >>> model.config.vocab_size
        31
    """
    embedding = model.get_input_embeddings()
    old_size = embedding.input_dim
    new_size = _round_up(
        as_size(new_num_tokens, "new_num_tokens", default=old_size),
        as_size(pad_to_multiple_of, "pad_to_multiple_of", default=1),
    )
    if new_size == old_size:
        return embedding
    _check_special_ids(model.config, new_size)
    tables, head = token_tables(model), getattr(model, "lm_head", None)
    for table in tables:
        check_plain(table, "The token embedding")
    if head is not None:
        check_plain(head, "The output projection")
    check_optimizer(getattr(model, "optimizer", None))
    with model.distribute_strategy.scope():
        draw = (
            _draw_around_mean
            if mean_resizing
            else functools.partial(_draw_as_new, model)
        )
        for table in tables:
            resize_embedding(table, new_size, draw)
        if head is not None:
            _resize_head(head, new_size, draw)
        if model.get_bias() is not None:
            _resize_bias(model, new_size)
    forget_compiled(model)
    take_config(model, vocab_size=new_size)
    return embedding


def _draw_as_new(model, values, num_rows):
    shape = [num_rows, values.shape[1]]
    return tf.random.normal(shape, stddev=model.config.init_std)


def _resize_head(head, new_size, draw):
    old = head._kernel
    values = tf.transpose(tf.convert_to_tensor(old.value))  # [V, D]
    head.units = new_size
    head.built = False
    replace_weight(head, old, lambda: head.build((None, values.shape[1])))
    head._kernel.trainable = old.trainable
    head._kernel.assign(tf.transpose(resize_rows(values, new_size, draw)))


def _resize_bias(model, new_size):
    old = model.final_logits_bias
    values = tf.convert_to_tensor(old.value)[0]
    replace_weight(model, old, lambda: model._add_bias(new_size))
    values = resize_rows(values, new_size, lambda _, num_added: tf.zeros([num_added]))
    model.final_logits_bias.assign(values[None])


def _draw_around_mean(values, num_rows):
    """Rows with the mean of `values` [V, D] and `VARIANCE_SCALE` of its covariance."""
    values = np.asarray(values).astype("float32")
    mean = values.mean(axis=0)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    spread = axes * np.sqrt(VARIANCE_SCALE * variances.clip(0))  # [D, D]
    noise = tf.random.normal([num_rows, len(mean)])
    return mean + tf.matmul(noise, spread, transpose_b=True)


def _round_up(size, multiple):
    return -(-size // multiple) * multiple


def _check_special_ids(config, new_size):
    for name in SPECIAL_IDS:
        ids = getattr(config, name, None)
        ids = ids if isinstance(ids, (list, tuple)) else [ids]
        for token_id in ids:
            if token_id is not None and token_id >= new_size:
                raise ValueError(
                    f"`new_num_tokens` {new_size} would cut off token {token_id}, the "
                    f"config's `{name}`. Keep at least {token_id + 1} tokens."
                )


def resize_position_embeddings(
    model,
    new_num_position_embeddings: int | None = None,
    *,
    decoder_positions: int | None = None,
) -> None:
    """Gives the encoder, and the decoder if requested, another number of positions.

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
        table = getattr(model.led, half).embed_positions
        size = as_size(value, name, default=table.input_dim)
        if size != table.input_dim:
            check_plain(table, f"The position embedding of the {half}")
            changes[half] = size
    if not changes:
        return
    check_optimizer(getattr(model, "optimizer", None))
    fields = {f"max_{half}_position_embeddings": n for half, n in changes.items()}
    config = copy.copy(model.config)
    for name, size in fields.items():
        setattr(config, name, size)
    window_radii(config)  # a window may be too wide for fewer positions
    with model.distribute_strategy.scope():
        for half, size in changes.items():
            table = getattr(model.led, half).embed_positions
            resize_embedding(table, size, _repeat_rows)
    forget_compiled(model)
    take_config(model, **fields)


def set_attention_window(model, attention_window: int | Sequence[int]) -> None:
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
    config = copy.copy(model.config)
    config.attention_window = windows
    radii = window_radii(config)
    for layer, radius in zip(model.led.encoder.layers, radii, strict=True):
        layer.self_attn.radius = radius
    forget_compiled(model)
    take_config(model, attention_window=windows)


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
