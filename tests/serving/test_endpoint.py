import numpy as np
import pytest
import tensorflow as tf

from tf_led.serving.endpoint import Input, make_endpoint, write_saved_model

IDS = Input("ids", tf.int64, [None, None])
TIMES = Input("times", tf.int32, [], 3)


@pytest.fixture
def product():
    def multiply(ids, times):
        return {"product": ids * tf.cast(times, ids.dtype)}

    return make_endpoint(multiply, [IDS, TIMES])


def test_defaults_are_tensors_and_stand_where_nothing_is_given(product):
    ids = tf.constant([[2, 5]], tf.int64)
    given = product.function.function_spec.fullargspec.defaults
    assert [tf.is_tensor(value) for value in given] == [True]
    assert product.function(ids)["product"].numpy().tolist() == [[6, 15]]
    answer = product.function(ids, times=tf.constant(7))["product"]
    assert answer.numpy().tolist() == [[14, 35]]


def test_a_narrow_endpoint_takes_int32_and_calls_the_same_function(product):
    narrow = product.narrow()
    assert product.takes_ids and not narrow.takes_ids
    assert [spec.dtype for spec in narrow.function.input_signature] == [tf.int32] * 2
    answer = narrow.function(tf.constant([[2, 5]]), tf.constant(7))["product"]
    assert answer.dtype == tf.int64 and answer.numpy().tolist() == [[14, 35]]
    assert product.function.experimental_get_tracing_count() == 1


def test_without_options_only_rows_are_left(product):
    plain = product.without_options()
    assert [spec.name for spec in plain.function.input_signature] == ["ids"]
    answer = plain.function(tf.constant([[2, 5]], tf.int64))["product"]
    assert answer.numpy().tolist() == [[6, 15]]


@pytest.mark.parametrize("shape", [[0, 3], [2, 0]])
def test_an_empty_input_is_rejected(product, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match="`ids` is empty"):
        product.function(tf.zeros(shape, tf.int64))


def test_a_mask_may_be_empty():
    mask = Input("mask", tf.int64, [None, None], [[]])
    sizes = make_endpoint(lambda ids, mask: {"size": tf.size(mask)}, [IDS, mask])
    ids = np.ones([2, 3], "int64")
    assert int(sizes.function(ids)["size"]) == 0
    assert int(sizes.function(ids, ids)["size"]) == 6


def test_a_full_disk_is_an_os_error(tmp_path, monkeypatch):
    def save(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "no space\nleft")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(OSError, match="no space left") as caught:
        write_saved_model(tmp_path / "1", {}, [])
    assert str(tmp_path / "1") in str(caught.value)
