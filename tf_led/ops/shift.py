"""Decoder inputs from labels."""

import tensorflow as tf


def shift_tokens_right(input_ids, pad_token_id, decoder_start_token_id):
    """Puts the start token in front and drops the last token.

    Args:
        input_ids: int[B, T], token ids or labels; -100 counts as padding.
        pad_token_id: Python int, put where -100 was.
        decoder_start_token_id: Python int, the first token of every row.

    Returns:
        int[B, T], dtype of `input_ids`.

    Raises:
        ValueError: if `pad_token_id` or `decoder_start_token_id` is None.

    Source: transformers' function of the same name.

    Example:
        >>> from tf_led import shift_tokens_right
        >>> shift_tokens_right([[5, 7, -100]], 1, 2).numpy().tolist()
        [[2, 5, 7]]
    """
    for name, value in (
        ("pad_token_id", pad_token_id),
        ("decoder_start_token_id", decoder_start_token_id),
    ):
        if value is None:
            raise ValueError(f"`{name}` is None; give the id, or set it in the config.")
    input_ids = tf.convert_to_tensor(input_ids)
    start = tf.fill([tf.shape(input_ids)[0], 1], decoder_start_token_id)
    shifted = tf.concat([tf.cast(start, input_ids.dtype), input_ids[:, :-1]], axis=1)
    shifted = tf.ensure_shape(shifted, input_ids.shape)
    pad = tf.constant(pad_token_id, input_ids.dtype)
    return tf.where(shifted == -100, pad, shifted)
