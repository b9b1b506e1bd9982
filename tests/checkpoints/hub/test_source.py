import json

import pytest

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.hub.source import open_source


@pytest.fixture
def folder(tmp_path):
    """A folder that passes for a checkpoint until its weights are read."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_files_of_a_folder(folder):
    source = open_source(str(folder))
    assert source.name == str(folder)
    assert source.weights == folder / "model.safetensors"
    assert source.get("merges.txt") is None
    with pytest.raises(FileNotFoundError, match="has no config.json"):
        source.read_json("config.json")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not valid JSON"), ("[3]", "not a JSON object")]
)
def test_what_is_no_json_object(folder, text, message):
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        open_source(folder).read_json("config.json")


def test_the_tokenizer_goes_along(folder, tmp_path):
    fields = {"tokenizer_class": "BartTokenizerFast", "model_max_length": 7}
    (folder / "tokenizer_config.json").write_text(json.dumps(fields))
    (folder / "vocab.json").write_text("{}")
    (folder / "notes.txt").write_text("not the tokenizer's")
    new = tmp_path / "new"
    new.mkdir()
    open_source(folder).copy_tokenizer(new)
    assert {file.name for file in new.iterdir()} == {
        "tokenizer_config.json",
        "vocab.json",
    }
    written = json.loads((new / "tokenizer_config.json").read_text())
    assert written == {"tokenizer_class": "LEDTokenizer", "model_max_length": 7}


def test_other_tokenizers_keep_their_class(folder, tmp_path):
    fields = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(fields))
    open_source(folder).copy_tokenizer(tmp_path, 13)
    written = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert written == {**fields, "model_max_length": 13}


def test_options_of_generation_come_from_the_old_place_if_need_be(folder, tmp_path):
    (folder / "config.json").write_text('{"num_beams": 3, "d_model": 12}')
    open_source(folder).copy_generation_config(tmp_path)
    written = json.loads((tmp_path / "generation_config.json").read_text())
    assert written == {"num_beams": 3}
    (folder / "generation_config.json").write_text('{"num_beams": 5}')
    open_source(folder).copy_generation_config(tmp_path)
    written = json.loads((tmp_path / "generation_config.json").read_text())
    assert written == {"num_beams": 5}


def test_a_model_of_the_hub(folder, tmp_path, monkeypatch):
    commit = tmp_path / "snapshots" / ("c0ffee" + "0" * 34)
    commit.parent.mkdir()
    folder.rename(commit)
    requested = []

    def download(name, file_name, **options):
        from huggingface_hub.errors import EntryNotFoundError

        requested.append((name, options["revision"]))
        if not (commit / file_name).exists():
            raise EntryNotFoundError("none")
        return str(commit / file_name)

    monkeypatch.setattr("tf_led.checkpoints.hub.repo.hf_hub_download", download)
    source = open_source("me/led")
    assert source.weights == commit / "model.safetensors"
    assert source.get("model.safetensors") == commit / "model.safetensors"
    assert source.get("merges.txt") is None
    assert requested[0] == ("me/led", None)
    # What goes along is of the same commit, whatever happens meanwhile.
    assert {revision for _, revision in requested[1:]} == {commit.name}


def test_offline_only_what_is_in_the_cache_goes_along(folder, tmp_path, monkeypatch):
    commit = tmp_path / "snapshots" / ("c0ffee" + "0" * 34)
    commit.parent.mkdir()
    folder.rename(commit)

    def download(name, file_name, **options):
        from huggingface_hub.errors import LocalEntryNotFoundError

        if not (commit / file_name).exists():
            raise LocalEntryNotFoundError("not cached")
        return str(commit / file_name)

    monkeypatch.setattr("tf_led.checkpoints.hub.repo.hf_hub_download", download)
    source = open_source("me/led")
    with pytest.warns(UserWarning, match="`merges.txt` of `me/led`"):
        assert source.get("merges.txt") is None
