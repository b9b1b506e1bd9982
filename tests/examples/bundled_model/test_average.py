import numpy as np
import pytest
from safetensors.numpy import load_file

from examples.bundled_model.average import average
from tf_led import TFLEDForConditionalGeneration
from tf_led.testing import fill_spread, tiny_config


def test_weights_lie_between_those_of_both(tmp_path):
    tables = []
    for number, name in enumerate(("first", "second")):
        model = TFLEDForConditionalGeneration(tiny_config())
        fill_spread(model, seed=number)
        model.save_pretrained(tmp_path / name)
        (tmp_path / name / "training").mkdir()
        tables.append(load_file(tmp_path / name / "model.safetensors"))
    average(tmp_path / "first", tmp_path / "second", tmp_path / "mean", 0.7)
    found = load_file(tmp_path / "mean" / "model.safetensors")
    assert found.keys() == tables[0].keys()
    for key, weights in found.items():
        expected = 0.3 * tables[0][key] + 0.7 * tables[1][key]
        np.testing.assert_allclose(weights, expected, atol=1e-6)
    assert not (tmp_path / "mean" / "training").exists()
    TFLEDForConditionalGeneration.from_pretrained(tmp_path / "mean")


def test_nothing_is_written_over(tmp_path):
    for name in ("first", "second", "mean"):
        (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match="mean"):
        average(tmp_path / "first", tmp_path / "second", tmp_path / "mean", 0.5)
