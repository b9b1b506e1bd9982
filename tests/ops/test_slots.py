import numpy as np
import pytest
import tensorflow as tf

from tf_led.ops.slots import count_slots, find_slots, put_slots, take_slots, with_slots

MASK = np.array([[0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 1, 0]], bool)


def random_mask(counts, length, seed=0):
    rng = np.random.default_rng(seed)
    mask = np.zeros([len(counts), length], bool)
    for row, count in zip(mask, counts, strict=True):
        row[rng.choice(length, count, replace=False)] = True
    return mask


def test_slots_hold_the_global_tokens_in_order():
    slots = find_slots(tf.constant(MASK), 3)
    assert slots.mask.numpy().tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert slots.idx[0, :2].numpy().tolist() == [1, 4]
    assert slots.idx[2].numpy().tolist() == [0, 1, 3]


@pytest.mark.parametrize("num_slots", [0, 1, 3, 31])
def test_slots_point_at_distinct_tokens(num_slots):
    """An unused slot must not point at a global token: `put_slots` writes there."""
    mask = random_mask([0, 1, min(num_slots, 3), num_slots], 31)
    slots = find_slots(tf.constant(mask), num_slots)
    for row, idx, used in zip(mask, slots.idx.numpy(), slots.mask.numpy(), strict=True):
        assert len(set(idx)) == num_slots
        np.testing.assert_array_equal(idx[used], np.flatnonzero(row)[:num_slots])
        assert not row[idx[~used]].any()


def test_count_slots():
    assert int(count_slots(tf.constant(MASK))) == 3
    assert int(count_slots(tf.constant(MASK[1:2]))) == 0
    assert int(count_slots(tf.constant(MASK[:0]))) == 0


def test_take_and_put():
    tokens = tf.reshape(tf.range(30.0), [3, 5, 2])
    slots = find_slots(tf.constant(MASK), 4)
    taken = take_slots(tokens, slots).numpy()
    np.testing.assert_array_equal(taken[0, :2], tokens.numpy()[0, [1, 4]])
    put = put_slots(tokens, -take_slots(tokens, slots), slots)
    np.testing.assert_array_equal(put, np.where(MASK[..., None], -tokens, tokens))


def test_put_keeps_other_tokens_from_the_gradient():
    tokens, rows = tf.ones([3, 5, 2]), tf.ones([3, 4, 2])
    slots = find_slots(tf.constant(MASK), 4)
    with tf.GradientTape() as tape:
        tape.watch([tokens, rows])
        put = put_slots(tokens, rows, slots)
    of_tokens, of_rows = tape.gradient(put, [tokens, rows])
    np.testing.assert_array_equal(of_tokens[..., 0], ~MASK)
    np.testing.assert_array_equal(of_rows[..., 0], slots.mask)


def weigh(mask, tokens):
    """The sum over global tokens of place times value, and the number of slots."""

    def function(slots, tokens):
        places = tf.cast(slots.idx, tf.float32) * take_slots(tokens, slots)
        total = tf.reduce_sum(tf.where(slots.mask, places, 0.0))
        return tf.stack([total, tf.cast(tf.shape(slots.idx)[1], tf.float32)])

    return with_slots(mask, function, [tokens])


def expected_weight(mask, tokens):
    return (np.arange(mask.shape[1]) * tokens * mask).sum()


@pytest.mark.parametrize("counts", [[0, 0], [1, 3], [0, 29]])
def test_outside_xla_there_are_as_many_slots_as_needed(counts):
    mask, tokens = random_mask(counts, 29), np.ones([2, 29], "float32")
    graph = tf.function(weigh)
    for call in (weigh, graph):
        total, num_slots = call(tf.constant(mask), tf.constant(tokens))
        assert num_slots == max(counts)
        assert total == expected_weight(mask, tokens)


@pytest.mark.parametrize(
    ("length", "counts_and_slots"),
    [
        (29, [(0, 29), (29, 29)]),
        (67, [(0, 16), (16, 16), (17, 67), (67, 67)]),
        (1031, [(1, 16), (131, 256), (256, 256), (257, 1031), (1031, 1031)]),
    ],
)
def test_under_xla_some_size_holds_them_all(length, counts_and_slots):
    """One compilation serves every number of global tokens."""
    call = tf.function(weigh, jit_compile=True)
    tokens = np.ones([2, length], "float32")
    for count, expected in counts_and_slots:
        mask = random_mask([count, count // 2], length)
        total, num_slots = call(tf.constant(mask), tf.constant(tokens))
        assert num_slots == expected
        np.testing.assert_allclose(total, expected_weight(mask, tokens), rtol=1e-6)
    assert call.experimental_get_tracing_count() == 1


def test_under_xla_a_signature_may_leave_the_length_open():
    """As `fit` on a generator does."""
    signature = [tf.TensorSpec([None, None], dtype) for dtype in (tf.bool, tf.float32)]
    call = tf.function(weigh, jit_compile=True, input_signature=signature)
    for length, count, expected in [(7, 3, 7), (67, 5, 16), (67, 19, 67)]:
        mask = random_mask([count, 0], length)
        total, num_slots = call(mask, np.ones([2, length], "float32"))
        assert (total, num_slots) == (mask[0] @ np.arange(length), expected)
    assert call.experimental_get_tracing_count() == 1
