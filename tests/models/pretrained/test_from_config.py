"""Models from a dict: `from_config`, and `keras.models.load_model` that calls it."""

import copy
import json
import shutil
import zipfile
from unittest import mock

import keras
import pytest

from tests.models.conftest import SMALL, make_model
from tf_led.checkpoints.errors import CheckpointError


@pytest.fixture(scope="module")
def model():
    return make_model(**SMALL)


def test_from_config(model):
    config = model.get_config()
    before = copy.deepcopy(config)
    again = type(model).from_config(config)
    assert config == before and again.name == model.name
    assert again.config.to_dict() == model.config.to_dict()
    assert type(model)._from_config(model.config).config is model.config
    other = type(model).from_config(model.config, max_global_tokens=3, name="other")
    assert other.name == "other" and other.get_config()["max_global_tokens"] == 3


@pytest.mark.parametrize(
    ("name", "value"), [("encoder_layers", 10**9), ("d_model", -1), ("vocab_size", "x")]
)
def test_sizes_are_checked_before_they_are_used(model, name, value):
    config = model.get_config()
    fields = {**config["config"], name: value}
    with pytest.raises(CheckpointError, match=name):
        type(model).from_config({**config, "config": fields})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": None}, "`config` None; it must be a dict"),
        ({"config": [3]}, "`config` .3.; it must be a dict"),
        ({"quantization": ["int8"]}, "`quantization` .'int8'.; it must be a dict"),
        ({"quantization": {"led/x": "int8"}}, "quantises `led/x`, which is no layer"),
        (
            {"quantization": {"led/encoder/layers/0/fc1": "int99"}},
            "quantises `led/encoder/layers/0/fc1` by 'int99': ",
        ),
    ],
)
def test_what_get_config_never_returned(model, change, message):
    with pytest.raises(CheckpointError, match=message):
        type(model).from_config({**model.get_config(), **change})


def test_keras_draws_nothing_for_a_file_but_all_for_a_config(model, tmp_path):
    model.save(tmp_path / "model.keras")
    draw = keras.initializers.RandomNormal.__call__
    with mock.patch.object(
        keras.initializers.RandomNormal, "__call__", autospec=True, side_effect=draw
    ) as drawn:
        keras.models.load_model(tmp_path / "model.keras")
        assert not drawn.called
        config = keras.saving.serialize_keras_object(model)
        keras.saving.deserialize_keras_object(config)
        assert drawn.called


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("decoder_layers", 1000),
        ("vocab_size", 10**8),
        ("max_encoder_position_embeddings", 10**8),
        ("decoder_ffn_dim", 10**8),
        ("d_model", 12000),
    ],
)
def test_more_than_a_keras_file_can_hold(model, tmp_path, is_folder, name, number):
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        archive.extractall(tmp_path / "model")
    file = tmp_path / "model/config.json"
    config = json.loads(file.read_text())
    config["config"]["config"][name] = number
    file.write_text(json.dumps(config))
    changed = tmp_path / "model"
    if not is_folder:
        shutil.make_archive(tmp_path / "changed", "zip", changed)
        changed = (tmp_path / "changed.zip").rename(tmp_path / "changed.keras")
    with pytest.raises(CheckpointError, match=f"`{name}` {number}, but the file has"):
        keras.models.load_model(changed)
