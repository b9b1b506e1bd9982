"""Checks of what users hand to a model: one clear line for what cannot work.

What is known while tracing is checked there; values are checked eagerly with a
ValueError and inside a graph with an assertion that carries the same words.
"""

import tensorflow as tf


def as_ids(ids, name, vocab_size):
    """Takes token ids, refusing what is not an id of the vocabulary.

    Args:
        ids: int[B, S], tensor, array or nested list.
        name: the argument's name, for messages.
        vocab_size: int, V.

    Returns:
        int32[B, S].

    Raises:
        ValueError: if they are not integers, not of rank 2, or outside 0..V-1.
    """
    ids = tf.convert_to_tensor(ids)
    if not ids.dtype.is_integer:
        raise ValueError(f"`{name}` must hold integers, got {ids.dtype.name}.")
    _check_rank(ids, name, 2, "[batch, length]")
    return _assert(
        tf.cast(ids, tf.int32),
        lambda ids: (ids < 0) | (ids >= vocab_size),
        lambda bad: (
            f"`{name}` holds {bad}, but the vocabulary has ids 0 to {vocab_size - 1}. "
            "Use the tokenizer of this checkpoint, or resize_token_embeddings."
        ),
    )


def as_mask(mask, name, shape):
    """Takes a mask of 0 and 1, refusing floats, other values and other shapes.

    Args:
        mask: int or bool, tensor, array or nested list; None stays None.
        name: the argument's name, for messages.
        shape: the [B, S] that it must have, with None for what is unknown.

    Returns:
        bool[B, S] or None.

    Raises:
        ValueError: naming dtype, shape or value.
    """
    mask = _as_int_mask(mask, name, shape)
    if mask is None:
        return None
    hint = " Global tokens go into `global_attention_mask`."
    return (
        _assert(
            mask,
            lambda mask: (mask < 0) | (mask > 1),
            lambda bad: f"`{name}` holds {bad}; allowed are 0 and 1.{hint}",
        )
        > 0
    )


def as_global_mask(mask, name, shape):
    """Takes a global mask: 1 global, 0 local, -1 masked as the tokenizer pads it.

    Args:
        mask: as in `as_mask`.
        name: see there.
        shape: see there.

    Returns:
        int32[B, S] or None.

    Raises:
        ValueError: as `as_mask`.
    """
    mask = _as_int_mask(mask, name, shape)
    if mask is None:
        return None
    return _assert(
        mask,
        lambda mask: (mask < -1) | (mask > 1),
        lambda bad: f"`{name}` holds {bad}; allowed are 1, 0 and -1 (masked).",
    )


def as_embeds(embeds, name, dim, dtype):
    """Takes embeddings float[B, S, D], refusing another rank or D."""
    embeds = tf.convert_to_tensor(embeds)
    if not embeds.dtype.is_floating:
        raise ValueError(f"`{name}` must hold floats, got {embeds.dtype.name}.")
    _check_rank(embeds, name, 3, "[batch, length, d_model]")
    if embeds.shape[-1] not in (None, dim):
        raise ValueError(
            f"`{name}` has {embeds.shape[-1]} features, but d_model is {dim}."
        )
    return tf.cast(embeds, dtype)


def as_head_mask(mask, name, num_layers, num_heads):
    """Takes a head mask float[L, N], or float[N] for all layers; None stays None."""
    if mask is None:
        return None
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank == 1:
        mask = tf.repeat(mask[None], num_layers, axis=0)
    if not mask.shape.is_compatible_with([num_layers, num_heads]):
        raise ValueError(
            f"`{name}` has shape {mask.shape.as_list()}, but the model has "
            f"{num_layers} layers of {num_heads} heads: give [{num_layers}, "
            f"{num_heads}] or [{num_heads}]."
        )
    return tf.cast(mask, tf.float32)


def check_length(length, limit, name, field):
    """Refuses sequences beyond the position table.

    Args:
        length: int, or int32[] where it is not known while tracing.
        limit: int, rows of the table.
        name: what is too long, for messages.
        field: the config's field that sets the limit.

    Raises:
        ValueError: naming both lengths.
    """

    def message(length):
        return (
            f"`{name}` has {length} tokens, but this model has {limit} positions "
            f"(`{field}`). Truncate to {limit} tokens (tokenizer(..., truncation=True, "
            f"max_length={limit})) or use a model with more positions."
        )

    if isinstance(length, int):
        if length > limit:
            raise ValueError(message(length))
    else:
        tf.debugging.assert_less_equal(length, limit, message("more"))


def _as_int_mask(mask, name, shape):
    if mask is None:
        return None
    mask = tf.convert_to_tensor(mask)
    if not (mask.dtype.is_integer or mask.dtype.is_bool):
        raise ValueError(
            f"`{name}` is a {mask.dtype.name} mask; give integers or bools, for "
            f"instance tf.cast({name}, tf.int32)."
        )
    if not mask.shape.is_compatible_with(shape):
        raise ValueError(
            f"`{name}` has shape {mask.shape.as_list()}, expected {list(shape)}: one "
            "entry for every token."
        )
    return tf.cast(mask, tf.int32)


def _check_rank(tensor, name, rank, form):
    if tensor.shape.rank not in (None, rank):
        raise ValueError(
            f"`{name}` has shape {tensor.shape.as_list()}; expected {form}."
        )


def _assert(tensor, find_bad, message):
    bad = find_bad(tensor)
    if tf.executing_eagerly():
        if bool(tf.reduce_any(bad)):
            raise ValueError(message(int(tensor[bad][0])))
        return tensor
    ok = tf.debugging.Assert(
        ~tf.reduce_any(bad), [message("a value that is not allowed"), tensor]
    )
    with tf.control_dependencies([ok] if ok is not None else []):
        return tf.identity(tensor)
