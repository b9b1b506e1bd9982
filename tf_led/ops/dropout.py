"""Dropout with a given seed: a recomputed forward pass draws the same mask."""

import numpy as np
import tensorflow as tf

_PHILOX = 1
# Factors and offsets of two linear congruential generators (Numerical Recipes, Borland
# C++); the strides are odd, so that no two numbers fold to the same seed.
_FACTORS = np.array([1664525, 22695477], "int32")
_OFFSETS = np.array([1013904223, 1], "int32")
_STRIDES = np.array([-1640531527, 668265263], "int32")
_NUMBERS_PER_DRAW = 4  # that Philox makes at each value of its counter


def dropout(tensor, rate, seed):
    """Drops entries at random and scales up the rest.

    Args:
        tensor: float tensor.
        rate: Python float in [0, 1), the fraction dropped. 0 returns `tensor` itself.
        seed: int32[2], or None for no dropout. The same seed drops the same entries.

    Returns:
        Tensor of the same shape and dtype.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.dropout import dropout
        >>> set(dropout(tf.ones(100), 0.5, tf.constant([3, 5])).numpy().tolist())
        {0.0, 2.0}
    """
    if seed is None or rate == 0:
        return tensor
    return tf.nn.experimental.stateless_dropout(tensor, rate, seed=seed)


class BlockDropout:
    """Dropout in blocks that a loop handles, `per_step` of them in each step.

    What is dropped in a block depends on its number alone, not on how many are handled
    together: the random numbers of block `i` follow those of block `i - 1`.

    Call arguments: `step` int32[]; `blocks` float[per_step * B, ...], the blocks of
    that step. Returns a tensor of the same shape and dtype.

    Args:
        rate: Python float in [0, 1), the fraction dropped. 0 leaves all as it is.
        seed: int32[2], or None for no dropout.
        block_size: int or int32[], numbers in a block.
        num_steps: int or int32[].
        per_step: int or int32[].

    Source: Philox (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011)
    draws any part of its numbers without the parts before it.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.dropout import BlockDropout
        >>> ones, seed = tf.ones([6, 8]), tf.constant([3, 5])
        >>> by_one = BlockDropout(0.5, seed, block_size=8, num_steps=6, per_step=1)
        >>> by_two = BlockDropout(0.5, seed, block_size=8, num_steps=3, per_step=2)
        >>> bool(tf.reduce_all(by_one(5, ones[5:]) == by_two(2, ones[4:])[1:]))
        True
    """

    def __init__(self, rate, seed, block_size, num_steps, per_step):
        self.is_active = seed is not None and rate > 0
        if not self.is_active:
            return
        self.rate = rate
        self.block_size = block_size
        self.per_step = per_step
        self.draws = -(-block_size // _NUMBERS_PER_DRAW)  # for each block
        self.key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        # The counters of all steps are made here: in the loop a GPU would have to wait
        # for a number of the host's.
        first_draw = tf.range(tf.cast(num_steps, tf.int64), dtype=tf.int64) * tf.cast(
            self.draws * per_step, tf.int64
        )
        first_draw = tf.stack([first_draw, tf.zeros_like(first_draw)], axis=1)
        self.counters = counter + tf.cast(first_draw, tf.uint64)  # [steps, 2]

    def __call__(self, step, blocks):
        if not self.is_active:
            return blocks
        dtype = blocks.dtype
        noise = tf.raw_ops.StatelessRandomUniformV2(
            shape=[self.per_step, self.draws * _NUMBERS_PER_DRAW],
            key=self.key,
            counter=self.counters[step],
            alg=_PHILOX,
            dtype=dtype,
        )
        noise = tf.reshape(noise[:, : self.block_size], tf.shape(blocks))
        kept = blocks * tf.cast(1 / (1 - self.rate), dtype)
        return tf.where(noise >= tf.cast(self.rate, dtype), kept, tf.zeros([], dtype))


def fold_seed(seed, number):
    """Derives the seed of part `number` of a computation.

    By arithmetic on int32, which the host does beside a GPU; `tf.random.fold_in` would
    wait for the GPU. The seeds need not look random: TensorFlow scrambles them.

    Args:
        seed: int32[2], or None.
        number: int or int32[].

    Returns:
        int32[2]; None for None.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.ops.dropout import fold_seed
        >>> fold_seed(tf.constant([3, 5]), 0).numpy().tolist()
        [1018897798, 113477386]
    """
    if seed is None:
        return None
    return seed * _FACTORS + number * _STRIDES + _OFFSETS
