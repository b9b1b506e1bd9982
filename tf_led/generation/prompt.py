"""The tokens that the decoder is given before it generates any."""

import numpy as np
import tensorflow as tf


def prepare_prompt(
    decoder_input_ids=None,
    decoder_attention_mask=None,
    *,
    batch_size,
    start_token_id,
):
    """Makes the decoder prompt, which starts with the decoder start token.

    As in transformers, the start token is put in front of a given prompt when no row
    begins with it. Inside a graph the ids are not known while tracing, so a prompt must
    already begin with the start token there: a run in which no row does is stopped.

    Args:
        decoder_input_ids: int32[B, P] with static P, or None for the start token alone.
        decoder_attention_mask: bool[B, P], True for tokens that may be attended to, or
            None for all.
        batch_size: int or int32[], B.
        start_token_id: int, or list of B ints.

    Returns:
        Pair of the prompt int32[B, P] and its mask bool[B, P]; P is one more where the
        start token was put in front.

    Raises:
        ValueError: if P is not static, a mask comes without ids, or start tokens do not
            number one per document.

    Source: transformers 5.23, `_prepare_decoder_input_ids_for_generation`.

    Example:
        >>> from tf_led.generation.prompt import prepare_prompt
        >>> prompt, mask = prepare_prompt([[5, 6]], batch_size=1, start_token_id=2)
        >>> prompt.numpy().tolist(), mask.numpy().tolist()
        ([[2, 5, 6]], [[True, True, True]])
    """
    start = _start_column(start_token_id, batch_size)
    if decoder_input_ids is None:
        if decoder_attention_mask is not None:
            raise ValueError(
                "`decoder_attention_mask` needs `decoder_input_ids`, which is missing."
            )
        return start, tf.ones_like(start, tf.bool)
    ids, mask = tf.convert_to_tensor(decoder_input_ids), decoder_attention_mask
    if ids.shape[1] is None:
        raise ValueError(
            "`decoder_input_ids` must have a length that is known while the graph is "
            f"made, got shape {ids.shape}. Call `set_shape`, or give the function an "
            "input signature with the length."
        )
    mask = tf.ones_like(ids, tf.bool) if mask is None else mask
    if _needs_start(ids, start):
        ids = tf.concat([start, ids], axis=1)
        mask = tf.concat([tf.ones_like(start, tf.bool), mask], axis=1)
    return ids, mask


def _start_column(start_token_id, batch_size):
    if isinstance(start_token_id, (list, tuple)):
        known = tf.get_static_value(batch_size)
        if known is not None and known != len(start_token_id):
            raise ValueError(
                f"`decoder_start_token_id` has {len(start_token_id)} ids for {known} "
                "documents. Give one id for all, or one for each."
            )
        return tf.constant(start_token_id, tf.int32)[:, None]
    return tf.fill([batch_size, 1], tf.constant(start_token_id, tf.int32))


def _needs_start(ids, start):
    lacks_start = tf.reduce_all(ids[:, 0] != start[:, 0])
    known = tf.get_static_value(lacks_start)
    if known is not None:
        return bool(np.asarray(known))
    check = tf.debugging.Assert(
        ~lacks_start,
        [
            "Inside a graph `decoder_input_ids` must begin with "
            "`decoder_start_token_id`; these begin with",
            ids[:, 0],
        ],
    )
    del check  # Runs by itself: tf.function keeps stateful ops.
    return False
