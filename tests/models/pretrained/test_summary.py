"""`model.summary()`, `repr` and `plot_model`."""

import importlib.util

import keras
import pytest

import tf_led
from tests.models.conftest import SMALL, make_model


def shown(model, **options):
    lines = []
    model.summary(print_fn=lines.append, line_length=150, **options)
    return "\n".join(lines).split("\n")


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


def row_of(table, name):
    """The cells of the first row of that name."""
    found = next(line for line in table if f" {name} (" in line)
    return [cell.strip() for cell in found.strip("│").split("│")]


@pytest.fixture(scope="module")
def untied():
    return make_model(tie_word_embeddings=False, **SMALL)


def test_the_summary_shows_encoder_decoder_and_head(untied):
    table = shown(untied)
    for name, layer in [
        ("encoder", untied.led.encoder),
        ("decoder", untied.led.decoder),
        ("lm_head", untied.lm_head),
    ]:
        title, shape, count = row_of(table, name)
        assert title == f"{name} ({type(layer).__name__})"
        assert shape == f"(None, None, {29 if name == 'lm_head' else 12})"
        assert count == f"{layer.count_params():,}"
    assert any(f"Total params: {untied.count_params():,}" in line for line in table)


def test_it_shows_every_layer_within(untied):
    table = shown(untied, expand_nested=True, show_trainable=True)
    text = "\n".join(table)
    for layer in untied._flatten_layers(include_self=False):
        if layer is not untied.led:
            assert f" {layer.name} ({type(layer).__name__})" in text
    query, shape, count, trains = row_of(table, "└ query")
    assert (shape, count, trains) == ("(None, None, 12)", "156", "Y")
    assert row_of(table, "└ fc1")[1] == "(None, None, 17)"


def test_it_shows_a_classifier():
    cls = tf_led.TFLEDForSequenceClassification
    table = shown(make_model(cls, num_labels=5, **SMALL), expand_nested=True)
    assert row_of(table, "classification_head")[1] == "(None, 5)"
    within = table[-20:]  # of the decoder's attention there are others
    assert row_of(within, "└ out_proj")[1] == "(None, 5)"


def test_repr_says_what_the_model_is(untied):
    text = repr(untied)
    for part in ("float32", "window 14", "64 + 32 positions", "vocabulary 29"):
        assert part in text
    assert f"{untied.count_params():,} parameters" in text


@pytest.mark.skipif(
    importlib.util.find_spec("pydot") is not None, reason="pydot is installed"
)
def test_plot_model_names_what_it_lacks(untied, tmp_path):
    with pytest.raises(ImportError, match="pydot"):
        keras.utils.plot_model(untied, tmp_path / "model.png")
