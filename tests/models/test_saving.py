"""A checkpoint within a save: every format, and the configs beside the weights."""

import json

import numpy as np
import pytest

from tests.models.conftest import SMALL, make_model
from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.checkpoints.atomic import staged
from tf_led.models.saving import pytorch_name, write_checkpoint, write_configs


@pytest.fixture(scope="module")
def model():
    return make_model(**SMALL)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("safetensors", "model.safetensors"),
        ("torch", "pytorch_model.bin"),
        ("h5", "tf_model.h5"),
    ],
)
def test_every_format_comes_back_bit_equal(model, tmp_path, kind, file):
    with staged(tmp_path) as staging:
        write_checkpoint(model, staging, kind=kind)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["config.json", "generation_config.json", file])
    again, report = TFLEDForConditionalGeneration.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values())
    table = again.weight_table()
    for path, variable in model.weight_table().items():
        np.testing.assert_array_equal(table[path], variable, err_msg=path)


def test_configs_name_pytorchs_class(model, tmp_path):
    before = model.config.to_dict()
    write_configs(model, tmp_path)
    fields = json.loads((tmp_path / "config.json").read_text())
    assert fields["architectures"] == ["LEDForConditionalGeneration"]
    assert (tmp_path / "generation_config.json").exists()
    assert model.config.to_dict() == before
    assert pytorch_name(TFLEDModel(model.config)) == "LEDModel"
