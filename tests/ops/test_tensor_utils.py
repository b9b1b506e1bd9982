import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops.tensor_utils import (
    heads_first,
    pad_tokens,
    size_of,
    take_rows,
    write_rows,
)

SHAPE = [2, 3, 5, 7]


def numbered(shape):
    return tf.reshape(tf.range(np.prod(shape)), shape)


def test_size_of_is_an_int_where_it_is_static():
    @tf.function(input_signature=[tf.TensorSpec([None, 5])])
    def sizes(tensor):
        assert size_of(tensor, 1) == 5 and tf.is_tensor(size_of(tensor, 0))
        return size_of(tensor, 0)

    assert sizes(tf.zeros([3, 5])) == 3


def test_heads_first():
    tokens = numbered(SHAPE)
    heads = heads_first(tokens)
    assert heads.shape == [2, 5, 3, 7]
    np.testing.assert_array_equal(heads[1, 4, 2], tokens[1, 2, 4])
    np.testing.assert_array_equal(heads_first(heads), tokens)


@pytest.mark.parametrize("axis", range(4))
def test_pad_tokens(axis):
    tokens = numbered(SHAPE)
    padded = pad_tokens(tokens, 2, 3, axis)
    assert padded.shape[axis] == SHAPE[axis] + 5
    assert int(tf.reduce_sum(padded)) == int(tf.reduce_sum(tokens))
    taken = tf.gather(padded, range(2, 2 + SHAPE[axis]), axis=axis)
    np.testing.assert_array_equal(taken, tokens)


def test_padding_a_mask_gives_false():
    padded = pad_tokens(tf.constant([[True]]), 1, 2, axis=1)
    assert padded.numpy().tolist() == [[False, True, False, False]]


def test_taking_rows_keeps_the_shape_static():
    """Under XLA a block's place is a loop counter; its size must be known."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 5])])
    def take(tokens):
        taken = take_rows(tokens, tf.constant(1), 2)
        assert taken.shape.as_list() == [2, None, 5]
        return taken

    tokens = tf.cast(numbered([7, 3, 5]), tf.float32)
    np.testing.assert_array_equal(take(tokens), tokens[1:3])


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("run", ["eager", "graph", "xla"])
def test_writing_rows_changes_a_copy(axis, run):
    tokens = numbered([size + 2 for size in SHAPE])
    rows = -numbered([size + 2 * (i != axis) for i, size in enumerate(SHAPE)])

    def write(tokens, rows, start):
        return write_rows(tokens, rows, start, axis), tokens

    if run != "eager":
        write = tf.function(write, jit_compile=run == "xla")
    changed, kept = write(tokens, rows, tf.constant(1))
    np.testing.assert_array_equal(kept, tokens)
    first, _, last = np.split(tokens.numpy(), [1, 1 + SHAPE[axis]], axis)
    np.testing.assert_array_equal(changed, np.concatenate([first, rows, last], axis))


def test_gradients_of_written_rows():
    tokens, rows = tf.ones([7, 3]), tf.ones([2, 3])
    with tf.GradientTape() as tape:
        tape.watch([tokens, rows])
        written = write_rows(tokens, rows, tf.constant(3))
    of_tokens, of_rows = tape.gradient(written, [tokens, rows])
    assert of_tokens[:, 0].numpy().tolist() == [1, 1, 1, 0, 0, 1, 1]
    np.testing.assert_array_equal(of_rows, rows)
