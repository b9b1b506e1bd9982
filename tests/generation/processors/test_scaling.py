import numpy as np
import pytest
import tensorflow as tf
from transformers.generation import logits_process as theirs

from tf_led.generation.processors import InfNanRemove, LogitNormalization, Temperature


@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_temperature(agrees, temperature):
    peer = theirs.TemperatureLogitsWarper(temperature)
    assert agrees(Temperature(temperature), peer)
    assert agrees(Temperature(tf.constant(temperature)), peer)


def test_temperature_as_an_input_of_a_graph():
    @tf.function(jit_compile=True)
    def scale(temperature):
        return Temperature(temperature)([[4.0]], [[0]], 1)

    assert [float(scale(tf.constant(t))[0, 0]) for t in (2.0, 8.0)] == [2.0, 0.5]


def test_infinities_and_nan_are_removed(agrees):
    peer = theirs.InfNanRemoveLogitsProcessor()
    assert agrees(InfNanRemove(), peer)
    scores = np.float32([[np.nan, np.inf, -np.inf, 3.0, -0.5]])
    result = InfNanRemove()(scores, [[0]], 1).numpy()
    top = np.finfo(np.float32).max
    np.testing.assert_array_equal(result, np.float32([[0, top, -top, 3, -0.5]]))


def test_normalization(agrees):
    assert agrees(LogitNormalization(), theirs.LogitNormalization(), rtol=1e-5)


@pytest.mark.parametrize("value", [0, 0.0, -1.5, np.nan, "1", None, True])
def test_a_bad_temperature_is_named(value):
    with pytest.raises(ValueError, match=f"`temperature` .* got {value!r}.*do_sample"):
        Temperature(value)


def test_a_temperature_per_row_is_refused():
    with pytest.raises(ValueError, match=r"`temperature` .* tensor of shape \(2,\)"):
        Temperature(tf.constant([1.0, 2.0]))
