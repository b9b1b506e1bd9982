"""Tests of cutting stretches into chunks, and of joining their tokens."""

import tensorflow as tf

from tf_led.tokenization.graph_chunks import cut, join


def as_lists(*tensors):
    return [tensor.numpy().tolist() for tensor in tensors]


def test_chunks_overlap_by_a_step():
    chunks = cut(tf.constant([2, 13]), tf.constant([11, 3]), tf.constant(4))
    assert as_lists(chunks.start, chunks.length) == [[2, 6, 13], [8, 7, 3]]
    assert as_lists(chunks.stretch, chunks.number) == [[0, 0, 1], [0, 1, 0]]
    assert as_lists(chunks.is_last) == [[False, True, True]]


def test_symbols_of_chunks():
    chunks = cut(tf.constant([2]), tf.constant([5]), tf.constant(2))
    symbols, chunk = as_lists(*chunks.symbols())
    assert symbols == [2, 3, 4, 5, 4, 5, 6]
    assert chunk == [0, 0, 0, 0, 1, 1, 1]


def joined(tokens, starts, lengths, step):
    """Joins (chunk, start, end); gives the chosen ones and the failed stretches."""
    chunks = cut(tf.constant(starts), tf.constant(lengths), tf.constant(step))
    chunk, start, end = (tf.constant(part) for part in zip(*tokens, strict=True))
    size = len(starts)
    chosen, failed = join(chunks, chunk, start, end, size, 31)
    kept = [token for token, is_kept in zip(tokens, chosen, strict=True) if is_kept]
    return kept, failed.numpy().tolist()


def test_tokens_are_joined_at_the_last_one_in_common():
    first = [(0, 0, 3), (0, 3, 5), (0, 5, 7), (0, 7, 8)]
    second = [(1, 4, 5), (1, 5, 7), (1, 7, 11)]
    kept, failed = joined(first + second, [0], [11], 4)
    assert kept == [*first[:3], second[2]]
    assert failed == [False]


def test_a_stretch_without_a_token_in_common_fails_alone():
    crossing = [(0, 0, 4), (0, 4, 8), (1, 4, 7), (1, 7, 11)]
    alone = [(2, 11, 13), (2, 13, 14)]
    kept, failed = joined(crossing + alone, [0, 11], [11, 3], 4)
    assert kept == alone
    assert failed == [True, False]
