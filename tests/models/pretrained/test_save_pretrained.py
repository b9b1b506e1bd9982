"""Uploading, with huggingface_hub's three calls replaced by a repository in memory."""

import json
import types

import huggingface_hub
import keras
import numpy as np
import pytest
from huggingface_hub.errors import HFValidationError, HTTPError, LocalTokenNotFoundError

import tf_led
from tests.models.conftest import SMALL, make_model
from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.checkpoints.disk.atomic import staged
from tf_led.models.pretrained.save_pretrained import (
    pytorch_name,
    write_checkpoint,
    write_configs,
)
from tf_led.testing import tiny_config


class Repository:
    """What `HfApi` was requested to do, and the files that it has."""

    def __init__(self):
        self.files, self.calls, self.error = {}, {}, None

    def create_repo(self, repo_id, **options):
        self.calls["create_repo"] = options
        if self.error is not None:
            raise self.error
        full_id = repo_id if "/" in repo_id else f"me/{repo_id}"
        return types.SimpleNamespace(repo_id=full_id)

    def file_exists(self, repo_id, filename, **options):
        return filename in self.files

    def upload_folder(self, *, repo_id, folder_path, **options):
        self.calls["upload_folder"] = {"repo_id": repo_id, **options}
        from pathlib import Path

        for file in Path(folder_path).iterdir():
            self.files[file.name] = file.read_bytes()
        return f"https://hub/{repo_id}/commit/c0ffee"


@pytest.fixture
def hub(monkeypatch):
    repository = Repository()

    def open_api(token=None):
        repository.calls["token"] = token
        return repository

    monkeypatch.setattr("tf_led.checkpoints.hub.push.HfApi", open_api)
    return repository


@pytest.fixture(scope="module")
def model():
    return tf_led.TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1)
    )


def test_the_stand_in_is_called_as_the_real_one_can_be(hub, model):
    import inspect

    model.push_to_hub("led")
    for name in ("create_repo", "upload_folder"):
        real = inspect.signature(getattr(huggingface_hub.HfApi, name)).parameters
        assert set(hub.calls[name]) <= set(real), name


def test_checkpoint_and_card_go_up_as_one_commit(hub, model):
    commit = model.push_to_hub(
        "led",
        commit_message="Trained",
        private=True,
        token="secret",
        revision="v1",
        create_pr=True,
    )
    assert commit == "https://hub/me/led/commit/c0ffee"
    assert sorted(hub.files) == [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
    ]
    assert hub.calls["token"] == "secret"
    assert hub.calls["create_repo"] == {"private": True, "exist_ok": True}
    uploaded = hub.calls["upload_folder"]
    assert (uploaded["commit_message"], uploaded["revision"]) == ("Trained", "v1")
    assert uploaded["repo_id"] == "me/led" and uploaded["create_pr"] is True
    assert 'from_pretrained("me/led")' in hub.files["README.md"].decode()


def test_what_was_uploaded_loads_in_both_frameworks(hub, model, tmp_path):
    model.push_to_hub("led", max_shard_size=10_000)
    for name, content in hub.files.items():
        (tmp_path / name).write_bytes(content)
    code = hub.files["README.md"].decode().split("```")[1::2]
    assert len(code) == 2
    for block in code:
        assert block.startswith("python\n") and '"me/led"' in block
        exec(block.removeprefix("python").replace("me/led", str(tmp_path)), {})


def test_a_card_that_is_there_stays(hub, model):
    hub.files["README.md"] = b"mine"
    model.push_to_hub("led")
    assert hub.files["README.md"] == b"mine"


def test_weights_that_would_be_preferred_are_deleted(hub, model):
    model.push_to_hub("led")
    safe = hub.calls["upload_folder"]["delete_patterns"]
    assert "model.safetensors.index.json" in safe
    assert not any("bin" in pattern for pattern in safe)
    model.push_to_hub("led", safe_serialization=False)
    assert "pytorch_model.bin" in hub.files
    both = hub.calls["upload_folder"]["delete_patterns"]
    assert {*safe, "pytorch_model-*-of-*.bin"} <= {*both}


@pytest.mark.parametrize(
    ("origin", "base"),
    [("allenai/led-base-16384", "allenai/led-base-16384"), ("", None), ("a b/c", None)],
)
def test_the_card_names_the_model_it_comes_from(hub, model, monkeypatch, origin, base):
    monkeypatch.setattr(model, "name_or_path", origin)
    model.push_to_hub("led")
    card = huggingface_hub.ModelCard(hub.files["README.md"].decode())
    assert card.data.base_model == base
    assert card.data.pipeline_tag == "summarization"


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            HFValidationError("two slashes"),
            ValueError,
            "`repo_id` 'led' .* two slashes",
        ),
        (LocalTokenNotFoundError("none"), PermissionError, "`led` without a token"),
        (
            HTTPError("401 for url"),
            ConnectionError,
            "Cannot push to `led`: 401 for url",
        ),
    ],
)
def test_rejections_are_in_our_words(hub, model, error, kind, message):
    hub.error = error
    with pytest.raises(kind, match=message):
        model.push_to_hub("led")
    assert hub.files == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tags": ["law"]}, r"`tags` \['law'\].*edit the model card"),
        ({"use_temp_dir": True}, "`use_temp_dir` True.*leave it out"),
        ({"commit_description": "long"}, "`commit_description` 'long'.*commit_message"),
        ({"organization": "us"}, "'organization'.*it takes commit_message"),
    ],
)
def test_what_pushing_does_not_offer_is_rejected_by_name(hub, model, options, message):
    with pytest.raises(ValueError, match=message):
        model.push_to_hub("led", **options)
    assert hub.files == {}


def test_an_old_token_is_rejected_and_never_shown(hub, model):
    with pytest.raises(ValueError, match="`use_auth_token`.*as `token`") as caught:
        model.push_to_hub("led", use_auth_token="secret")
    assert "secret" not in str(caught.value)
    model.push_to_hub("led", use_auth_token=None, tags=None)
    assert "config.json" in hub.files


def test_no_token_requests_nothing_of_a_save_and_a_token_is_rejected(model, tmp_path):
    model.save_pretrained(tmp_path, use_auth_token=None)
    with pytest.raises(ValueError, match="'use_auth_token'"):
        model.save_pretrained(tmp_path, use_auth_token="secret")


@pytest.fixture(scope="module")
def model_saving():
    return make_model(**SMALL)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("safetensors", "model.safetensors"),
        ("torch", "pytorch_model.bin"),
        ("h5", "tf_model.h5"),
    ],
)
def test_every_format_comes_back_bit_equal(model_saving, tmp_path, kind, file):
    with staged(tmp_path) as staging:
        write_checkpoint(model_saving, staging, kind=kind)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["config.json", "generation_config.json", file])
    again, report = TFLEDForConditionalGeneration.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values())
    table = again.weight_table()
    for path, variable in model_saving.weight_table().items():
        np.testing.assert_array_equal(table[path], variable, err_msg=path)


def test_configs_name_pytorchs_class(model_saving, tmp_path):
    before = model_saving.config.to_dict()
    write_configs(model_saving, tmp_path, model_saving.weight_table())
    fields = json.loads((tmp_path / "config.json").read_text())
    assert fields["architectures"] == ["LEDForConditionalGeneration"]
    assert (tmp_path / "generation_config.json").exists()
    assert model_saving.config.to_dict() == before
    assert pytorch_name(TFLEDModel(model_saving.config)) == "LEDModel"


def test_a_keras_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    model, file = make_model(), tmp_path / "model.keras"
    model.save(file)
    before = file.read_bytes()

    def full_disk(model, path, **options):
        path.write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        model.save(file)
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]
