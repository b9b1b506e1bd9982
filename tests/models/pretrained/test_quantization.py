"""int8 after training: what is lost, and that the whole model still works."""

import keras
import numpy as np
import pytest

from tests.models.conftest import SMALL, make_model


@pytest.fixture(scope="module")
def pair():
    whole, quantised = make_model(**SMALL), make_model(**SMALL)
    quantised.quantize("int8")
    return whole, quantised


def probabilities(model, inputs):
    logits = np.array(model(inputs).logits, "float64")
    exp = np.exp(logits - logits.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True)


@pytest.mark.parametrize("globals_", ["few", "many"])
def test_outputs_stay_close(pair, inputs, globals_):
    if globals_ == "many":
        inputs["global_attention_mask"] = np.ones([2, 7], int)
    whole, quantised = (probabilities(model, inputs) for model in pair)
    assert np.abs(whole - quantised).max() < 0.15
    assert np.mean(whole.argmax(-1) == quantised.argmax(-1)) > 0.8


def test_every_matrix_is_int8(pair):
    _, quantised = pair
    for path, variable in quantised.weight_table().items():
        is_matrix = path.endswith(("kernel", "embeddings"))
        assert (variable.dtype == "int8") == is_matrix, path


@pytest.mark.slow
def test_it_generates_and_is_saved(pair, inputs, tmp_path):
    _, quantised = pair
    quantised.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = quantised(inputs).logits
    np.testing.assert_allclose(loaded(inputs).logits, expected, atol=1e-5)
    del inputs["decoder_input_ids"]
    ids = [m.generate(**inputs, max_new_tokens=5) for m in (quantised, loaded)]
    np.testing.assert_array_equal(*ids)
