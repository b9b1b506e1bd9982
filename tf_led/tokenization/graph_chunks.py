"""Long stretches cut into chunks that overlap, and their tokens joined again.

A row of tokens is what BPE makes of its text if, and only if, each two neighbours are
what BPE makes of theirs: the first merge across a seam would be the first in the text
of the two neighbours as well. So where two chunks have a token in common, the first
one's tokens up to it and the second one's after it are the tokens of both together.
"""

import tensorflow as tf

from .graph_flat import owners

_LAST = tf.int32.max


def cut(starts, lengths, step):
    """Cuts each stretch into chunks of `2 * step` symbols, one every `step`.

    Args:
        starts: int32[P]. The symbol that each stretch starts with.
        lengths: int32[P]. The number of its symbols, at least 1.
        step: int32 scalar.

    Returns:
        Chunks, in the order of the stretches.
    """
    count = tf.maximum((lengths - 1) // step, 1)
    stretch = owners(count)
    first = tf.cumsum(count, exclusive=True)
    number = tf.range(tf.size(stretch)) - tf.gather(first, stretch)
    offset = number * step
    rest = tf.gather(lengths, stretch) - offset
    is_last = number == tf.gather(count, stretch) - 1
    return Chunks(
        start=tf.gather(starts, stretch) + offset,
        length=tf.where(is_last, rest, tf.minimum(rest, 2 * step)),
        stretch=stretch,
        number=number,
        is_last=is_last,
    )


class Chunks(tf.experimental.ExtensionType):
    """Chunks of stretches: a start, a length, a stretch and a number in it each."""

    start: tf.Tensor
    length: tf.Tensor
    stretch: tf.Tensor
    number: tf.Tensor
    is_last: tf.Tensor

    def symbols(self):
        """The symbols of all chunks and the chunk of each: int32[N], int32[N]."""
        chunk = owners(self.length)
        first = tf.cumsum(self.length, exclusive=True)
        base = tf.gather(self.start - first, chunk)
        return base + tf.range(tf.size(chunk)), chunk


def join(chunks, chunk, start, end, num_stretches, num_symbols):
    """Chooses the tokens that make up the stretches.

    Args:
        chunks: Chunks.
        chunk: int32[K]. The chunk of each token, in any order.
        start: int32[K]. The symbol that it starts with.
        end: int32[K]. The symbol after its last.
        num_stretches: int32 scalar.
        num_symbols: int32 scalar. Above every symbol.

    Returns:
        (chosen, failed): bool[K], and bool[num_stretches]: the stretches in which two
        neighbouring chunks have no token in common. None of their tokens is chosen.
    """
    seam = seams(chunks, chunk, start, end, num_symbols)
    is_open = (seam < 0) & ~chunks.is_last
    failed = tf.math.unsorted_segment_max(
        tf.cast(is_open, tf.int32), chunks.stretch, num_stretches
    )
    failed = failed > 0
    # A chunk's tokens come after the seam before it, up to the seam behind it.
    before = tf.concat([[-1], seam[:-1]], 0)[: tf.size(seam)]
    before = tf.where(chunks.number == 0, -1, before)
    seam = tf.where(chunks.is_last, _LAST, seam)
    chosen = (start > tf.gather(before, chunk)) & (start <= tf.gather(seam, chunk))
    return chosen & ~tf.gather(failed, tf.gather(chunks.stretch, chunk)), failed


def seams(chunks, chunk, start, end, num_symbols):
    """The start of the last token that each chunk shares with the next one, or -1."""
    # A symbol lies in two chunks at most, and their numbers are odd and even.
    parity = tf.gather(chunks.number, chunk) % 2
    ends = tf.scatter_nd((start * 2 + parity)[:, None], end, [num_symbols * 2])
    ends = tf.reshape(ends, [-1, 2])
    shared = tf.gather((ends[:, 0] == ends[:, 1]) & (ends[:, 0] > 0), start)
    following = tf.concat([chunks.start[1:], [0]], 0)[: tf.size(chunks.start)]
    shared &= start >= tf.gather(following, chunk)
    return tf.math.unsorted_segment_max(
        tf.where(shared, start, -1), chunk, tf.size(chunks.start)
    )
