"""Checks of what a tokenizer in TensorFlow ops is made of and called with."""

import tensorflow as tf

from .options import check_at_least


def check_tokenizer(tokenizer):
    """Refuses a tokenizer that decodes or encodes in a way the graph does not."""
    errors = getattr(tokenizer, "errors", "replace")
    if errors != "replace" and hasattr(tokenizer, "_ids_apart"):
        raise ValueError(
            f"`tokenizer` decodes with errors={errors!r}, and a graph can only "
            "'replace'. Make the tokenizer with `errors='replace'`."
        )
    if tokenizer.backend_tokenizer.encode_special_tokens:
        raise ValueError(
            "`tokenizer` splits special tokens inside text (`split_special_tokens`), "
            "which a graph does not. Make it without."
        )


def read_ends(tokenizer):
    """The ids that the tokenizer puts before and after a text."""
    ids = tokenizer.backend_tokenizer.post_processor.process(
        tokenizer.backend_tokenizer.encode("", add_special_tokens=False)
    ).ids
    if len(ids) != 2:
        raise ValueError(
            f"`tokenizer` must put one token before a text and one after it, but puts "
            f"{ids} around nothing. Give it the post-processor of LED."
        )
    return ids


def check_texts(texts):
    """Reads texts as a vector of strings."""
    texts = tf.convert_to_tensor(texts, tf.string)
    return as_rank(texts, 1, "texts", "one string per row")


def check_ids(ids):
    """Reads rows of ids as an integer tensor or ragged tensor."""
    if not isinstance(ids, tf.RaggedTensor):
        ids = tf.convert_to_tensor(ids)
    if not ids.dtype.is_integer:
        raise TypeError(f"`ids` must be integers, got {ids.dtype.name}.")
    return as_rank(ids, 2, "ids", "one row of ids per text")


def as_rank(values, rank, name, meaning):
    if values.shape.rank not in (None, rank):
        raise ValueError(
            f"`{name}` must have rank {rank}, {meaning}, got shape {values.shape}."
        )
    return values


def check_multiple(pad_to_multiple_of):
    check_at_least("pad_to_multiple_of", pad_to_multiple_of, 1)


def check_room(max_length, num_added):
    """The number of ids that `max_length` leaves beside the special tokens: 1 or more.

    With none the two tokenizers disagree: one cuts everything, the other nothing.
    """
    least = num_added + 1
    if not tf.is_tensor(max_length):
        check_at_least("max_length", max_length, least)
        return max_length - num_added
    check = tf.debugging.assert_greater_equal(
        max_length, least, f"`max_length` must be at least {least}."
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.cast(max_length, tf.int32) - num_added
