"""Checks of what a tokenizer in TensorFlow ops is made of and called with."""

import json
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tokenizers import Tokenizer, models
from transformers.convert_slow_tokenizer import bytes_to_unicode

from tf_led.tokenization.led_tokenizer import LEDTokenizer
from tf_led.tokenization.padding import check_at_least
from tf_led.tokenization.tokenizer_json import check_token_ids, find_difference


def check_tokenizer(tokenizer):
    """Raises ValueError for a tokenizer with options that the graph does not follow."""
    errors = getattr(tokenizer, "errors", "replace")
    if errors != "replace" and isinstance(tokenizer, LEDTokenizer):
        raise ValueError(
            f"`tokenizer` decodes with errors={errors!r}, and a graph can only "
            "'replace'. Make the tokenizer with `errors='replace'`."
        )
    if tokenizer.split_special_tokens:
        raise ValueError(
            "`tokenizer` splits special tokens inside text (`split_special_tokens`), "
            "which a graph does not. Make it without."
        )


def read_ends(tokenizer):
    """The ids that the tokenizer puts before and after a text."""
    nothing = Tokenizer(models.BPE()).encode("")  # has no stored padding
    ids = tokenizer.backend_tokenizer.post_processor.process(nothing).ids
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


def remaining_length(max_length, num_added):
    """`max_length` less the special tokens, checked to be at least 1.

    Below that the two tokenizers disagree: one truncates to nothing, the other not.
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


_BYTES = {character: byte for byte, character in bytes_to_unicode().items()}


@dataclass(frozen=True)
class BpeTables:
    """A byte-level BPE.

    Attributes:
        byte_ids: int32[256]. The id of each byte, -1 where the vocabulary lacks it.
        pairs: int32[M, 2]. The ids that each merge joins, the first merge first.
        results: int32[M]. The id that each merge gives.
        lengths: int32[V]. The number of bytes of each id that merges give.
        touches: bool[256, 256]. Whether two bytes stand side by side in any token.
    """

    byte_ids: np.ndarray
    pairs: np.ndarray
    results: np.ndarray
    lengths: np.ndarray
    touches: np.ndarray


def read_bpe(tokenizer):
    """Reads the BPE of a tokenizer.

    Args:
        tokenizer: LEDTokenizer or LEDTokenizerFast.

    Returns:
        BpeTables.

    Raises:
        ValueError: if the tokenizer does more than LED's do.
    """
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    check_token_ids(parts, "the vocabulary of `tokenizer`")
    model = parts["model"]
    difference = find_difference({**parts, "post_processor": None})  # see `read_ends`
    if difference:
        raise ValueError(
            f"`tokenizer` must be a byte-level BPE as LED's are: its {difference}. "
            "Tokenize outside the graph."
        )
    vocab = model["vocab"]
    byte_ids = [vocab.get(character, -1) for character in ordered_alphabet()]
    # A pair that is listed twice has its last place, as in the library.
    merges = {tuple(m): rank for rank, m in enumerate(model["merges"]) if is_bytes(m)}
    merges = sorted(merges, key=merges.get)
    return BpeTables(
        byte_ids=np.array(byte_ids, np.int32),
        pairs=np.array([(vocab[a], vocab[b]) for a, b in merges], np.int32),
        results=np.array([vocab[a + b] for a, b in merges], np.int32),
        lengths=lengths_by_id(vocab),
        touches=touching(merges),
    )


def ordered_alphabet():
    return sorted(_BYTES, key=_BYTES.get)


def is_bytes(merge):
    return all(character in _BYTES for part in merge for character in part)


def lengths_by_id(vocab):
    lengths = np.zeros(max(vocab.values(), default=0) + 1, np.int32)
    for token, token_id in vocab.items():
        lengths[token_id] = len(token)
    return lengths


def touching(merges):
    """Side by side in a token are the bytes at the seams of the merges."""
    touches = np.zeros((256, 256), bool)
    for left, right in merges:
        touches[_BYTES[left[-1]], _BYTES[right[0]]] = True
    return touches


def token_bytes(token):
    """The bytes that a token stands for; a foreign character makes it plain text."""
    if all(character in _BYTES for character in token):
        return bytes(_BYTES[character] for character in token)
    return token.encode("utf-8")
