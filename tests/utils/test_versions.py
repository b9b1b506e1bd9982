from importlib.metadata import version

import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import BartConfig, LEDConfig

from tf_led.utils import versions


@pytest.fixture(params=[False, True], ids=["installed", "before 5.4"])
def transformers_is_old(request, monkeypatch):
    """Runs a test with our own check of types too, whatever is installed."""
    if request.param:
        monkeypatch.setattr(versions, "is_older", lambda package, limit: True)


def test_minor_versions_are_compared_as_numbers():
    major, minor = map(int, version("keras").split(".")[:2])
    assert not versions.is_older("keras", (major, minor))
    assert versions.is_older("keras", (major, minor + 1))
    assert versions.is_older("keras", (major, 100)) or minor >= 100


def test_the_fields_stay_as_they_were(transformers_is_old):
    fields = {"d_model": 12, "attention_window": [2, 4], "of_another": "kept"}
    before = dict(fields)
    config = versions.config_from_dict(LEDConfig, fields, dropout=0)
    assert fields == before
    assert (config.d_model, config.attention_window) == (12, [2, 4])
    assert (config.dropout, config.of_another) == (0, "kept")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d_model", "wide"),
        ("d_model", 1.5),
        ("encoder_layers", True),
        ("use_cache", 1),
        ("dropout", "0.1"),
        ("activation_function", 3),
    ],
)
@pytest.mark.parametrize("kind", [LEDConfig, BartConfig])
def test_a_value_of_another_type_is_named(transformers_is_old, kind, name, value):
    with pytest.raises(StrictDataclassError, match=f"{name}.*\n?.*{value}"):
        versions.config_from_dict(kind, {name: value})
    with pytest.raises(StrictDataclassError, match=name):
        versions.config_from_dict(kind, {}, **{name: value})


def test_filters_that_keras_does_not_know_are_named(monkeypatch):
    assert versions.filters_option(None) == {}
    monkeypatch.setattr(versions, "is_older", lambda package, limit: True)
    with pytest.raises(ValueError, match="`filters` is 'fc1'.*3.13"):
        versions.filters_option("fc1")
    monkeypatch.setattr(versions, "is_older", lambda package, limit: False)
    assert versions.filters_option("fc1") == {"filters": "fc1"}
