import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops import tensor_utils as blocks

SHAPE = [2, 3, 5, 7]


def numbered(shape):
    return tf.reshape(tf.range(np.prod(shape)), shape)


def test_heads_first():
    tokens = numbered(SHAPE)
    heads = blocks.heads_first(tokens)
    assert heads.shape == [2, 5, 3, 7]
    np.testing.assert_array_equal(heads[1, 4, 2], tokens[1, 2, 4])
    np.testing.assert_array_equal(blocks.heads_first(heads), tokens)


@pytest.mark.parametrize("axis", range(4))
def test_pad_and_take_undo_each_other(axis):
    tokens = numbered(SHAPE)
    padded = blocks.pad_tokens(tokens, 2, 3, axis)
    assert padded.shape[axis] == SHAPE[axis] + 5
    assert int(tf.reduce_sum(padded)) == int(tf.reduce_sum(tokens))
    taken = blocks.take_tokens(padded, 2, SHAPE[axis], axis)
    np.testing.assert_array_equal(taken, tokens)


def test_padding_a_mask_gives_false():
    padded = blocks.pad_tokens(tf.constant([[True]]), 1, 2, axis=1)
    assert padded.numpy().tolist() == [[False, True, False, False]]


def test_take_keeps_its_shape_static():
    """Under XLA a block's place is a loop counter; its size must be known."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 5])] * 1)
    def take(tokens):
        taken = blocks.take_tokens(tokens, tf.constant(1), 2, axis=1)
        assert taken.shape.as_list() == [None, 2, 5]
        return taken

    tokens = tf.cast(numbered([3, 7, 5]), tf.float32)
    np.testing.assert_array_equal(take(tokens), tokens[:, 1:3])


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("num_blocks", [1, 3])
def test_split_and_join_undo_each_other(axis, num_blocks):
    shape = [size * (num_blocks if i == axis else 1) for i, size in enumerate(SHAPE)]
    tokens = numbered(shape)
    split = blocks.split_tokens(tokens, SHAPE[axis], axis)
    assert split.shape == [num_blocks, *SHAPE]
    parts = np.split(tokens.numpy(), num_blocks, axis)
    np.testing.assert_array_equal(split, np.stack(parts))
    np.testing.assert_array_equal(blocks.join_tokens(split, axis), tokens)


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("run", ["eager", "graph", "xla"])
def test_overwrite_changes_the_end_of_a_copy(axis, run):
    tokens = numbered([size + 2 for size in SHAPE])
    new = -numbered([size + 2 * (i != axis) for i, size in enumerate(SHAPE)])

    def overwrite(tokens, new):
        return blocks.overwrite_tokens(tokens, new, 2, axis), tokens

    if run != "eager":
        overwrite = tf.function(overwrite, jit_compile=run == "xla")
    changed, kept = overwrite(tokens, new)
    np.testing.assert_array_equal(kept, tokens)
    expected = np.concatenate([np.split(tokens, [2], axis)[0], new], axis)
    np.testing.assert_array_equal(changed, expected)
