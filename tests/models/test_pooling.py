import numpy as np
import pytest
import tensorflow as tf

from tf_led.models import pooling
from tf_led.models.decoder import TFLEDDecoder
from tf_led.testing import tiny_config

HIDDEN = np.arange(3 * 5 * 2, dtype="float32").reshape(3, 5, 2)
REAL = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


def test_the_config_names_the_pooling():
    config = tiny_config()
    assert pooling.pooling_of(config) == "decoder"
    assert pooling.with_pooling(config, None) is config
    assert pooling.with_pooling(config, "decoder") is config
    changed = pooling.with_pooling(config, "encoder_mean")
    assert pooling.pooling_of(changed) == "encoder_mean"
    assert pooling.with_pooling(changed, None) is changed
    assert not hasattr(config, "pooling")
    assert changed.to_dict() == {**config.to_dict(), "pooling": "encoder_mean"}


def test_a_pooling_that_is_none_is_refused():
    pooling.check_pooling("encoder_mean", ("decoder", "encoder_mean"))
    with pytest.raises(ValueError, match="is 'mean'; this head has 'decoder', 'enc"):
        pooling.check_pooling("mean", ("decoder", "encoder_mean"))


def test_a_frozen_decoder_leaves_the_shared_embedding():
    decoder = TFLEDDecoder(tiny_config())
    pooling.freeze_decoder(decoder)
    left = [variable.path for variable in decoder.trainable_variables]
    assert len(left) == 1 and "shared" in left[0]


def test_first_real_token():
    """Left padding is passed over; a row without tokens stays finite."""
    states = pooling.first_states(HIDDEN, REAL)
    np.testing.assert_array_equal(states, HIDDEN[[0, 1, 2], [0, 2, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_mean_of_real_tokens(dtype):
    mean = pooling.mean_states(tf.constant(HIDDEN, dtype), tf.constant(REAL))
    assert mean.dtype == dtype
    expected = [HIDDEN[0].mean(0), HIDDEN[1, 2:4].mean(0), [0, 0]]
    np.testing.assert_array_equal(mean, expected)


def test_a_mean_of_many_is_not_rounded():
    """16,384 states of 1 sum up to more than float16 holds exactly, or at all."""
    ones = tf.ones([1, 16384, 3], "float16") * 7
    mean = pooling.mean_states(ones, tf.ones([1, 16384], "bool"))
    np.testing.assert_array_equal(mean, np.full([1, 3], 7))


ENDS = [[0, 2, 7, 2, 1], [2, 2, 9, 9, 9], [7, 7, 2, 7, 2]]


@pytest.mark.parametrize(
    ("ids", "end_ids", "last"),
    [
        (ENDS, [2], [3, 1, 4]),
        ([[2, 5, 3, 7, 7]] * 3, [2], [0, 0, 0]),
        ([[2, 5, 3, 7, 7]] * 3, [2, 3], [2, 2, 2]),
    ],
)
def test_last_end_token(ids, end_ids, last):
    states = pooling.last_end_states(HIDDEN, tf.constant(ids), end_ids)
    np.testing.assert_array_equal(states, HIDDEN[[0, 1, 2], last])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            [2, 2, 2, 7, 7],
            r"has 3 end tokens \(`eos_token_id` 2\), and another row has",
        ),
        (
            [7, 7, 7, 7, 2],
            r"has 2 end tokens \(`eos_token_id` 2\), and another row has",
        ),
        ([7, 7, 7, 7, 7], r"has 0 end tokens \(`eos_token_id` 2\)\. The document is"),
    ],
)
def test_other_numbers_of_end_tokens_are_refused(row, message):
    ids = tf.constant([ENDS[0], row, ENDS[1]])
    with pytest.raises(ValueError, match=message):
        pooling.last_end_states(HIDDEN, ids, [2])

    @tf.function
    def in_graph(ids):
        return pooling.last_end_states(HIDDEN, ids, [2])

    with pytest.raises(tf.errors.InvalidArgumentError, match="end tokens"):
        in_graph(ids)


def test_xla_which_cannot_refuse_gives_nan():
    @tf.function(jit_compile=True)
    def compiled(ids):
        return pooling.last_end_states(HIDDEN, ids, [2])

    assert np.isnan(compiled(tf.constant([ENDS[0], [2] * 5, ENDS[1]]))).all()
    np.testing.assert_array_equal(
        compiled(tf.constant(ENDS)), HIDDEN[[0, 1, 2], [3, 1, 4]]
    )


@pytest.mark.parametrize("pool", [pooling.first_states, pooling.mean_states])
def test_pooling_under_xla(pool):
    compiled = tf.function(pool, jit_compile=True)
    hidden, real = tf.constant(HIDDEN), tf.constant(REAL)
    np.testing.assert_allclose(compiled(hidden, real), pool(hidden, real), rtol=1e-6)
