"""Checks of single arguments that users hand to a model; each error is one line."""

import tensorflow as tf

from tf_led.ops.losses import IGNORED_LABEL


def input_error(message):
    """A ValueError of one line, for a user's mistake.

    Keras lists all arguments of the call after what a layer raises, unless marked so.
    A plain ValueError: AutoGraph would turn a subclass into an error of its own.
    """
    error = ValueError(message)
    error._keras_call_info_injected = True
    return error


def raise_where(bad, tensor, before, after):
    """Raises where a tensor has wrong entries, naming the largest of them.

    Args:
        bad: bool, shape of `tensor`.
        tensor: int tensor.
        before: string, the message up to the entry.
        after: string, the message from there on.

    Returns:
        `tensor`; in a graph what is computed from it comes after the check.

    Raises:
        ValueError: in eager execution.
    """
    ok = ~tf.reduce_any(bad)
    if tf.executing_eagerly() and ok:
        return tensor
    worst = tf.reduce_max(tf.where(bad, tensor, tensor.dtype.min))
    if tf.executing_eagerly():
        raise input_error(f"{before} {worst.numpy()}{after}")
    return assert_before(ok, [before, worst, after], tensor)


def assert_before(ok, message, tensor):
    """Returns `tensor`, in a graph only once `ok` was found true.

    Args:
        ok: bool[].
        message: list of strings and tensors, joined where `ok` is False.
        tensor: any tensor.

    Returns:
        `tensor`.
    """
    check = tf.debugging.Assert(ok, message)
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(tensor)


def validate_ids(ids, name, vocab_size):
    """Checks and casts token ids.

    Args:
        ids: int[B, S], tensor, array or nested list.
        name: the argument's name, for messages.
        vocab_size: int, V.

    Returns:
        int32[B, S].

    Raises:
        ValueError: if they are not integers, not of rank 2, empty, or outside 0..V-1.
    """
    ids = _as_integers(ids, name)
    ids = raise_where(
        (ids < 0) | (ids >= vocab_size),
        ids,
        f"`{name}` holds",
        f", but the vocabulary has ids 0 to {vocab_size - 1}. Use the tokenizer of "
        "this checkpoint, or resize_token_embeddings.",
    )
    return tf.cast(ids, tf.int32)


def validate_labels(labels, vocab_size):
    """Checks and casts labels: token ids, and -100 where there is nothing to learn.

    Args:
        labels: int[B, T], tensor, array or nested list.
        vocab_size: int, V.

    Returns:
        int32[B, T].

    Raises:
        ValueError: as `validate_ids`.
    """
    labels = _as_integers(labels, "labels")
    labels = raise_where(
        (labels != IGNORED_LABEL) & ((labels < 0) | (labels >= vocab_size)),
        labels,
        "`labels` holds",
        f"; allowed are the ids 0 to {vocab_size - 1} of the vocabulary, and "
        f"{IGNORED_LABEL} for what does not count.",
    )
    return tf.cast(labels, tf.int32)


def validate_mask(mask, name, shape):
    """Checks and casts a mask of 0 and 1.

    Args:
        mask: int or bool, tensor, array or nested list; None stays None.
        name: the argument's name, for messages.
        shape: the [B, S] that it must have: ints, int32[] where they are not known
            while tracing, or None where anything goes.

    Returns:
        bool[B, S] or None.

    Raises:
        ValueError: naming dtype, shape or value.
    """
    mask = _as_int_mask(mask, name, shape)
    if mask is None:
        return None
    mask = raise_where(
        (mask < 0) | (mask > 1),
        mask,
        f"`{name}` holds",
        "; allowed are 0 and 1. Global tokens go into `global_attention_mask`.",
    )
    return mask > 0


def validate_global_mask(mask, name, shape):
    """Checks and casts a global mask: 1 global, 0 local, -1 masked (padding).

    Args:
        mask: as in `validate_mask`.
        name: likewise.
        shape: likewise.

    Returns:
        int32[B, S] or None.

    Raises:
        ValueError: as `validate_mask`.
    """
    mask = _as_int_mask(mask, name, shape)
    if mask is None:
        return None
    return raise_where(
        (mask < -1) | (mask > 1),
        mask,
        f"`{name}` holds",
        "; allowed are 1, 0 and -1 (masked).",
    )


def validate_embeds(embeds, name, dim, dtype):
    """Checks embeddings float[B, S, D] and casts them to `dtype`."""
    embeds = tf.convert_to_tensor(embeds)
    if not embeds.dtype.is_floating:
        raise input_error(f"`{name}` must hold floats, got {embeds.dtype.name}.")
    _check_form(embeds, name, 3, "[batch, length, d_model]")
    if embeds.shape[-1] not in (None, dim):
        raise input_error(
            f"`{name}` has {embeds.shape[-1]} features, but d_model is {dim}."
        )
    return tf.cast(embeds, dtype)


def clear_masked(embeds, mask):
    """Puts 0 where a masked embedding is NaN, infinite, or has no square in float32.

    The mask hides what is finite; 0 times such a number would be NaN, forward and in
    gradients. Every other number stays: masked tokens have hidden states, too.

    Args:
        embeds: float[B, S, D].
        mask: bool[B, S], True for real tokens; None for no masked ones.

    Returns:
        float[B, S, D].

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.models.inputs.validation import clear_masked
        >>> embeds = tf.constant([[[1.0], [float("nan")], [2.0]]])
        >>> clear_masked(embeds, tf.constant([[True, False, False]])).numpy().tolist()
        [[[1.0], [0.0], [2.0]]]
    """
    if mask is None:
        return embeds
    # 1e15 has a square that may be summed; float16 ends below, where half is safe.
    limit = min(1e15, float(embeds.dtype.max) / 2)
    is_harmless = tf.abs(embeds) < tf.constant(limit, embeds.dtype)  # False for NaN
    return tf.where(mask[:, :, None] | is_harmless, embeds, tf.zeros_like(embeds))


def validate_head_mask(mask, name, num_layers, num_heads):
    """Checks a head mask float[L, N], or float[N] for all layers; None stays None."""
    if mask is None:
        return None
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank == 1:
        mask = tf.repeat(mask[None], num_layers, axis=0)
    if not mask.shape.is_compatible_with([num_layers, num_heads]):
        raise input_error(
            f"`{name}` has shape {mask.shape.as_list()}, but the model has "
            f"{num_layers} layers of {num_heads} heads: give [{num_layers}, "
            f"{num_heads}] or [{num_heads}]."
        )
    return tf.cast(mask, tf.float32)


def validate_shape(tensor, name, shape):
    """Checks that a tensor has one entry for every token.

    Args:
        tensor: int or bool[B, S].
        name: the argument's name, for messages.
        shape: see `validate_mask`.

    Returns:
        `tensor`; in a graph what is computed from it comes after the check.

    Raises:
        ValueError: naming both shapes.
    """
    hint = "one entry for every token."
    known = [size if isinstance(size, int) else None for size in shape]
    if not tensor.shape.is_compatible_with(known):
        raise input_error(
            f"`{name}` has shape {tensor.shape.as_list()}, expected {known}: {hint}"
        )
    if None not in known and tensor.shape.is_fully_defined():
        return tensor
    actual = tf.shape(tensor)
    expected = tf.stack(
        [actual[i] if size is None else size for i, size in enumerate(shape)]
    )
    ok = tf.reduce_all(actual == expected)
    message = [f"`{name}` has shape", actual, "expected", expected, hint]
    return assert_before(ok, message, tensor)


def validate_batch(tokens, document):
    """Checks that the decoder has one row for each document.

    Args:
        tokens: tensor [B, T, ...], the decoder's ids or embeddings.
        document: tensor [B, S, ...].

    Returns:
        `tokens`; in a graph what is computed from it comes after the check.

    Raises:
        ValueError: naming both numbers of rows.
    """
    hint = "give one row for each document."
    rows, num_documents = tokens.shape[0], document.shape[0]
    if None not in (rows, num_documents):
        if rows != num_documents:
            raise input_error(
                f"The decoder's input is a batch of {rows}, the document's one of "
                f"{num_documents}; {hint}"
            )
        return tokens
    rows, num_documents = tf.shape(tokens)[0], tf.shape(document)[0]
    message = ["The decoder's input is a batch of", rows]
    message += ["the document's one of", num_documents, hint]
    return assert_before(rows == num_documents, message, tokens)


def validate_length(tokens, length, limit, name, field):
    """Checks that a sequence is no longer than the position table.

    Args:
        tokens: tensor, the sequence.
        length: int, or int32[] where it is not known while tracing: the length of the
            sequence, with what came before it.
        limit: int, rows of the table.
        name: what is too long, for messages.
        field: the config's field that sets the limit.

    Returns:
        `tokens`; in a graph what is computed from it comes after the check.

    Raises:
        ValueError: naming both lengths.
    """
    hint = (
        f" tokens, but this model has {limit} positions (`{field}`). Truncate to "
        f"{limit} tokens (tokenizer(..., truncation=True, max_length={limit})) or use "
        "a model with more positions."
    )
    if tf.is_tensor(length):
        message = [f"`{name}` has", length, hint]
        return assert_before(length <= limit, message, tokens)
    if length > limit:
        raise input_error(f"`{name}` has {length}{hint}")
    return tokens


def _as_integers(ids, name):
    """Casts int[B, T] to int64: int32 could turn a wrong id into a right one."""
    try:
        ids = tf.convert_to_tensor(ids)
    except ValueError as error:
        raise input_error(
            f"`{name}` must be rows of ids, all of one length: {error} Pad rows to "
            "one length (tokenizer(..., padding=True))."
        ) from None
    if not ids.dtype.is_integer:
        raise input_error(f"`{name}` must hold integers, got {ids.dtype.name}.")
    _check_form(ids, name, 2, "[batch, length]")
    return tf.cast(ids, tf.int64)


def _as_int_mask(mask, name, shape):
    if mask is None:
        return None
    mask = tf.convert_to_tensor(mask)
    if not (mask.dtype.is_integer or mask.dtype.is_bool):
        raise input_error(
            f"`{name}` is a {mask.dtype.name} mask; give integers or bools, for "
            f"instance tf.cast({name}, tf.int32)."
        )
    return tf.cast(validate_shape(mask, name, shape), tf.int32)


def _check_form(tensor, name, rank, form):
    if tensor.shape.rank not in (None, rank):
        raise input_error(
            f"`{name}` has shape {tensor.shape.as_list()}; expected {form}."
        )
    if tensor.shape.rank == rank and tensor.shape[1] == 0:
        raise input_error(f"`{name}` has no tokens; give at least one in each row.")
