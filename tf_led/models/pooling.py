"""What stands for a document: a state of the decoder, or states of the encoder."""

import copy

import numpy as np
import tensorflow as tf

from tf_led.models.config import LEDConfig
from tf_led.models.refuse import refuse_where
from tf_led.ops.xla import in_xla

DECODER = "decoder"


def with_pooling(config, pooling):
    """Returns the config that has `pooling`: the given one, or a changed copy.

    Args:
        config: LEDConfig; anything else is returned as it is.
        pooling: str, or None for what the config says.

    Returns:
        LEDConfig.
    """
    if not isinstance(config, LEDConfig) or pooling in (None, pooling_of(config)):
        return config
    config = copy.deepcopy(config)
    config.pooling = pooling
    return config


def pooling_of(config):
    """The pooling that a config names in its field `pooling`, by default "decoder"."""
    return getattr(config, "pooling", None) or DECODER


def check_pooling(pooling, allowed):
    """Refuses a pooling that a head does not have.

    Raises:
        ValueError: naming it and those that there are.
    """
    if pooling not in allowed:
        raise ValueError(
            f"`pooling` is {pooling!r}; this head has {', '.join(map(repr, allowed))}. "
            "Give one of these as `pooling=...` or in the config's field `pooling`."
        )


def freeze_decoder(decoder):
    """Makes a decoder that is never run untrainable; the shared embedding stays."""
    decoder.embed_positions.trainable = False
    decoder.layernorm_embedding.trainable = False
    for layer in decoder.layers:
        layer.trainable = False


def last_end_states(hidden, input_ids, end_ids):
    """The states at the last end token of every row, of which all must have as many.

    Args:
        hidden: float[B, S, D] of the decoder.
        input_ids: int[B, S].
        end_ids: list of int.

    Returns:
        float[B, D]. XLA cannot refuse rows with none or with different numbers: there
        the batch becomes NaN.

    Raises:
        ValueError: naming the number of end tokens.
    """
    is_end = tf.reduce_any(input_ids[:, :, None] == end_ids, axis=2)
    counts = tf.math.count_nonzero(is_end, axis=1, dtype=tf.int32)  # [B]
    told = f" end tokens (`eos_token_id` {', '.join(map(str, end_ids))})"
    wanted = (
        "The document is read off at the last one: end every row with one, and give "
        "all rows as many, or pool from the encoder."
    )
    refuse_where(counts == 0, counts, "A row of `input_ids` has", f"{told}. {wanted}")
    fewest = tf.reduce_min(counts)
    refuse_where(
        counts != fewest,
        counts,
        "A row of `input_ids` has",
        f"{told}, and another row has fewer. {wanted}",
    )
    pooled = _last_states(hidden, is_end)
    if in_xla():
        bad = (fewest == 0) | tf.reduce_any(counts != fewest)
        pooled = tf.where(bad, tf.constant(np.nan, pooled.dtype), pooled)
    return pooled


def _last_states(hidden, mask):
    """[B, S, D] -> [B, D], at the last True of every row."""
    from_behind = tf.argmax(
        tf.cast(mask[:, ::-1], tf.int32), axis=1, output_type="int32"
    )
    last_idx = tf.shape(mask)[1] - 1 - from_behind
    return tf.gather(hidden, last_idx, batch_dims=1)


def first_states(hidden, padding_mask):
    """The states of every row's first real token.

    Args:
        hidden: float[B, S, D].
        padding_mask: bool[B, S].

    Returns:
        float[B, D].
    """
    first_idx = tf.argmax(tf.cast(padding_mask, tf.int32), axis=1, output_type="int32")
    return tf.gather(hidden, first_idx, batch_dims=1)


def mean_states(hidden, padding_mask):
    """The mean over every row's real tokens, 0 if it has none; summed in float32.

    Args:
        hidden: float[B, S, D].
        padding_mask: bool[B, S].

    Returns:
        float[B, D], dtype of `hidden`.
    """
    real = tf.cast(padding_mask, tf.float32)[:, :, None]  # [B, S, 1]
    total = tf.reduce_sum(tf.cast(hidden, tf.float32) * real, axis=1)
    mean = tf.math.divide_no_nan(total, tf.reduce_sum(real, axis=1))
    return tf.cast(mean, hidden.dtype)
