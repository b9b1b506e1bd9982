import numpy as np
import pytest
import tensorflow as tf

from tf_led.layers.token_embedding import TokenEmbedding

V, D, PAD = 29, 7, 1
IDS = np.array([[0, 5, 5, PAD], [7, PAD, PAD, PAD]])


def make(pad_token_id=PAD, **kwargs):
    embedding = TokenEmbedding(V, D, pad_token_id=pad_token_id, **kwargs)
    embedding.build((None, None))
    return embedding


def test_looks_up_rows():
    embedding = make()
    np.testing.assert_array_equal(embedding(IDS), np.asarray(embedding.embeddings)[IDS])


def test_starts_normal_with_zeros_for_padding():
    embedding = TokenEmbedding(997, 31, pad_token_id=PAD, init_std=0.1)
    embedding.build((None, None))
    table = np.asarray(embedding.embeddings)
    assert abs(table.std() - 0.1) < 0.01
    assert not table[PAD].any() and table[[0, 2]].all()


def test_padding_may_be_no_token():
    embedding = make(pad_token_id=None)
    assert np.asarray(embedding.embeddings).all()
    assert rows_with_gradient(embedding, lambda: embedding(IDS)) == {0, 1, 5, 7}


def rows_with_gradient(embedding, function):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(function())
    gradient = tf.convert_to_tensor(tape.gradient(total, embedding.embeddings.value))
    return set(np.flatnonzero(np.any(gradient != 0, axis=1)))


def test_looking_up_padding_trains_nothing():
    embedding = make()
    assert rows_with_gradient(embedding, lambda: embedding(IDS)) == {0, 5, 7}


def test_a_row_looked_up_twice_learns_twice():
    embedding = make()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(embedding(IDS))
    gradient = tf.convert_to_tensor(tape.gradient(total, embedding.embeddings.value))
    np.testing.assert_array_equal(gradient[:, 0][:8], [1, 0, 0, 0, 0, 2, 0, 1])


def test_scoring_trains_padding_too():
    """As PyTorch's output projection, which knows no padding."""
    embedding = make()
    hidden = tf.ones([2, 3, D])
    scored = rows_with_gradient(embedding, lambda: embedding(hidden, reverse=True))
    assert scored == set(range(V))


@pytest.mark.parametrize("shape", [[3], [2, 3], [2, 3, 5]])
def test_scores_every_token(shape):
    embedding = make()
    hidden = np.random.default_rng(0).standard_normal([*shape, D]).astype("float32")
    logits = embedding(hidden, reverse=True)
    expected = hidden @ np.asarray(embedding.embeddings).T
    assert logits.shape == [*shape, V]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)


def test_scores_keep_what_is_static():
    embedding = make()

    @tf.function(input_signature=[tf.TensorSpec([None, 3, D])])
    def score(hidden):
        logits = embedding(hidden, reverse=True)
        assert logits.shape.as_list() == [None, 3, V]
        return logits

    assert score(tf.ones([2, 3, D])).shape == [2, 3, V]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(policy):
    embedding = make(dtype=policy)
    dtype = policy.removeprefix("mixed_")
    assert embedding.embeddings.dtype == "float32"
    assert embedding(IDS).dtype == dtype
    assert embedding(tf.ones([2, D]), reverse=True).dtype == dtype
    assert rows_with_gradient(embedding, lambda: embedding(IDS)) == {0, 5, 7}


def test_quantised_rows_and_scores_are_those_of_the_table_to_a_step():
    embedding = make()
    table = np.asarray(embedding.embeddings)
    hidden = np.random.default_rng(0).standard_normal([2, 3, D]).astype("float32")
    step = np.abs(table).max(axis=1) / 127  # of each row
    expected = hidden @ table.T
    embedding.quantize("int8")
    assert embedding._embeddings.dtype == "int8"
    assert np.all(np.abs(embedding(IDS) - table[IDS]) <= 0.51 * step[IDS][..., None])
    error = np.abs(embedding(hidden, reverse=True) - expected)
    # Half a step of the table and half a step of the states, which are rounded too.
    bound = 0.51 * step * np.abs(hidden).sum(axis=-1, keepdims=True)
    bound += 0.51 * np.abs(hidden).max(-1, keepdims=True) / 127 * np.abs(table).sum(1)
    assert error.max() > 0 and np.all(error <= bound)


def test_an_unknown_mode_raises():
    with pytest.raises(ValueError, match="`mode` is 'int4'"):
        make().quantize("int4")
