import json

import pytest

from tf_led.cli import checkpoint as bundled
from tf_led.cli.checkpoint import check_checkpoint
from tf_led.cli.parser import UsageError


def test_a_model_that_is_named_is_taken(capsys):
    assert bundled.model_or_bundled("here") == "here"
    assert capsys.readouterr().err == ""


def test_the_bundled_model_is_announced(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path)
    assert bundled.model_or_bundled(None) == str(tmp_path)
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "bundled model: good for " in err and ", not" in err


def test_without_one_a_model_must_be_named(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path / "none")
    with pytest.raises(UsageError, match="no bundled model: give --model"):
        bundled.model_or_bundled(None)


def directory(folder, config='{"model_type": "led"}', files=("tokenizer.json",)):
    if config is not None:
        (folder / "config.json").write_text(config)
    for file in files:
        (folder / file).write_text("{}")
    return str(folder)


@pytest.mark.parametrize("files", [["tokenizer.json"], ["vocab.json", "merges.txt"]])
def test_a_checkpoint_passes(tmp_path, files):
    check_checkpoint(directory(tmp_path, files=files))


@pytest.mark.parametrize(
    "name", ["allenai/led-base-16384", "led_x.1", "a/b_c", "O-w_n/x"]
)
def test_hub_ids_are_left_to_the_hub(name):
    check_checkpoint(name)


@pytest.mark.parametrize(
    "name", ["./led", "/led", "../a/b", "~/led", "a/b/c", "a/", "a b/c"]
)
def test_paths_that_lead_nowhere_are_errors(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"^--model {name}: no such directory"):
        check_checkpoint(name)


def test_a_file_is_an_error(tmp_path):
    (tmp_path / "led.bin").write_text("weights")
    with pytest.raises(UsageError, match="led.bin: a file, not"):
        check_checkpoint(f"{tmp_path}/led.bin")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "no config.json"),
        ("{", "config.json` is not valid JSON: Expecting"),
        ("[]", r"config.json` is not a JSON object but list: \[\]"),
        ("{}", "model_type None"),
        (json.dumps({"model_type": "bart"}), "model_type 'bart', expected 'led'"),
    ],
)
def test_config_that_is_not_of_led_is_an_error(tmp_path, config, message):
    name = directory(tmp_path, config)
    with pytest.raises(UsageError, match=f"^--model {name}: .*{message}"):
        check_checkpoint(name)


def test_damaged_generation_config_is_an_error(tmp_path):
    name = directory(tmp_path)
    (tmp_path / "generation_config.json").write_text('{"num_beams": ')
    with pytest.raises(
        UsageError, match=f"^--model {name}: .*generation_config.json` is not valid"
    ):
        check_checkpoint(name)


@pytest.mark.parametrize("files", [[], ["vocab.json"], ["merges.txt"]])
def test_directory_without_tokenizer_is_an_error(tmp_path, files):
    name = directory(tmp_path, files=files)
    with pytest.raises(UsageError, match=f"^--model {name}: no tokenizer"):
        check_checkpoint(name)
