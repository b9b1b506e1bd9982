import numpy as np
import pytest
import tensorflow as tf

from tf_led.utils.validation import (
    as_ids,
    as_positive_int,
    check_int,
    check_unit,
    known_number,
)


def test_numbers_that_only_a_graph_knows_pass():
    @tf.function(input_signature=[tf.TensorSpec([])])
    def check(value):
        assert known_number("x", value) is None
        check_unit("x", value, "(0, 1)", "")
        return value

    assert check(tf.constant(7.0)) == 7  # not checked: it was not known


@pytest.mark.parametrize("value", [3, np.int64(3), tf.constant(3)])
def test_counts_of_every_kind_pass(value):
    check_int("x", value, 3, "")
    with pytest.raises(ValueError, match="`x` must be an int of at least 4, got"):
        check_int("x", value, 4, "")


@pytest.mark.parametrize("interval", ["(0, 1)", "[0, 1]", "(0, 1]", "[0, 1)"])
def test_the_ends_of_an_interval(interval):
    for value, bracket in ((0, interval[0]), (1, interval[-1])):
        if bracket in "[]":
            check_unit("x", value, interval, "")
        else:
            with pytest.raises(ValueError, match=f"`x` .*, got {value}"):
                check_unit("x", value, interval, "")


def test_ids_of_every_form():
    for given in (5, [5], (5,), np.array([5]), tf.constant([5]), np.int32(5)):
        assert as_ids("x", given) == (5,)
    assert as_ids("x", None) == ()


@pytest.mark.parametrize("given", [5.0, "5", [None], True, np.array([0.5])])
def test_what_is_no_id_is_named(given):
    with pytest.raises(ValueError, match="`x` must hold token ids"):
        as_ids("x", given)


def test_a_tensor_that_is_no_scalar_is_named():
    with pytest.raises(ValueError, match=r"`x` must be one number, .* shape \(2,\)"):
        known_number("x", tf.constant([1, 2]))


@pytest.mark.parametrize("value", [0, -7, 2.0, "7", None, True])
def test_only_ints_of_at_least_1_become_one(value):
    with pytest.raises(ValueError, match=f"`n` must be .* got {value!r}"):
        as_positive_int("n", value)
    assert as_positive_int("n", np.int64(7)) == 7
