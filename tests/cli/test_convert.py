"""`tf-led convert`: every format in and out, bit by bit, and what is rejected."""

import json
import os
import shutil

import keras
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import BartConfig, BartForConditionalGeneration

from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.cli.convert import head_of
from tf_led.cli.main import main
from tf_led.testing import tiny_config

IDS = np.array([[0, 5, 7, 11, 13, 2]])


@pytest.fixture
def convert(capsys):
    """Runs the command; returns the file names on stdout, or the rejection."""

    def run(*argv):
        code = main(["convert", *map(str, argv)])
        out, err = capsys.readouterr()
        if code:
            assert code == 2 and out == ""
            assert all(line.startswith("tf-led: ") for line in err.splitlines())
            return err.splitlines()[-1].removeprefix("tf-led: ")
        return [os.path.basename(line) for line in out.splitlines()]

    return run


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder with a small model and no tokenizer."""
    folder = tmp_path_factory.mktemp("bare")
    TFLEDModel(tiny_config(encoder_layers=1, decoder_layers=1)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bart(tmp_path_factory):
    torch.manual_seed(0)
    fields = tiny_config(encoder_layers=1, decoder_layers=1).to_dict()
    kept = {name: fields[name] for name in fields if name in BartConfig().to_dict()}
    kept.pop("model_type")
    folder = tmp_path_factory.mktemp("bart")
    config = BartConfig(**kept, max_position_embeddings=23)
    BartForConditionalGeneration(config).save_pretrained(folder)
    return folder


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same(one, other):
    assert one.keys() == other.keys()
    for key, array in one.items():
        np.testing.assert_array_equal(array, other[key], err_msg=key)


def test_pytorch_to_ours_and_by_way_of_every_format_back(checkpoint, convert, tmp_path):
    assert convert(checkpoint, tmp_path / "bin", "--to", "bin") == ["pytorch_model.bin"]
    assert convert(tmp_path / "bin", tmp_path / "h5", "--to", "h5") == ["tf_model.h5"]
    assert convert(tmp_path / "h5", tmp_path / "back") == ["model.safetensors"]
    assert_same(weights(checkpoint), weights(tmp_path / "back"))
    options = json.loads((tmp_path / "back/generation_config.json").read_text())
    assert (options["num_beams"], options["no_repeat_ngram_size"]) == (2, 2)
    for name in ("vocab.json", "merges.txt"):
        original = (checkpoint / name).read_bytes()
        assert (tmp_path / "back" / name).read_bytes() == original


def test_keras_holds_all(checkpoint, convert, tmp_path):
    assert convert(checkpoint, tmp_path / "k", "--to", "keras") == ["model.keras"]
    loaded = keras.models.load_model(tmp_path / "k/model.keras")
    assert loaded.generation_config.num_beams == 2
    loaded.save_pretrained(tmp_path / "back")
    assert_same(weights(checkpoint), weights(tmp_path / "back"))
    assert not (tmp_path / "k/model.safetensors").exists()


def test_a_bare_model_without_tokenizer_stays_bare(bare, convert, tmp_path):
    assert convert(bare, tmp_path / "new") == ["model.safetensors"]
    assert_same(weights(bare), weights(tmp_path / "new"))
    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names == ["config.json", "model.safetensors"]


def test_half_precision_stays(bare, convert, tmp_path):
    TFLEDModel.from_pretrained(bare, dtype="bfloat16").save_pretrained(
        tmp_path / "half"
    )
    convert(tmp_path / "half", tmp_path / "new", "--max-positions", "67")
    made = weights(tmp_path / "new")
    assert {str(array.dtype) for array in made.values()} == {"bfloat16"}
    assert made["encoder.embed_positions.weight"].shape == (67, 12)


def test_longer_and_wider(bare, convert, tmp_path):
    new = tmp_path / "new"
    options = ["--max-positions", "150", "--attention-window", "6"]
    source = shutil.copytree(bare, tmp_path / "source")
    tokenizer = {"model_max_length": 64, "tokenizer_class": "LEDTokenizer"}
    (source / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    convert(source, new, *options, "--max-decoder-positions", "41")
    config = json.loads((new / "config.json").read_text())
    assert config["attention_window"] == 6
    assert config["max_encoder_position_embeddings"] == 150
    made, old = weights(new), weights(bare)["encoder.embed_positions.weight"]
    assert made["decoder.embed_positions.weight"].shape == (41, 12)
    table = made["encoder.embed_positions.weight"]
    np.testing.assert_array_equal(table, np.tile(old, [3, 1])[:150])
    tokenizer = json.loads((new / "tokenizer_config.json").read_text())
    assert tokenizer["model_max_length"] == 150


def test_a_bart_becomes_a_led(bart, convert, tmp_path):
    new = tmp_path / "new"
    options = ["--attention-window", "64", "--max-positions", "101"]
    assert convert(bart, new, *options) == ["model.safetensors"]
    model = TFLEDForConditionalGeneration.from_pretrained(new)
    assert model.config.attention_window == 64
    assert model.config.max_encoder_position_embeddings == 101
    theirs = BartForConditionalGeneration.from_pretrained(bart).eval()
    with torch.no_grad():
        expected = theirs(torch.tensor(IDS), decoder_input_ids=torch.tensor(IDS)).logits
    logits = model(IDS, decoder_input_ids=IDS).logits
    np.testing.assert_allclose(logits, expected, atol=1e-5)

    assert convert(bart, tmp_path / "h5", *options, "--to=h5") == ["tf_model.h5"]
    convert(tmp_path / "h5", tmp_path / "back")
    assert_same(weights(new), weights(tmp_path / "back"))
    config = json.loads((tmp_path / "h5/config.json").read_text())
    assert config["attention_window"] == 64


def test_a_bart_gets_the_papers_sizes(bart, convert, tmp_path):
    convert(bart, tmp_path / "new", "--to", "bin")
    config = json.loads((tmp_path / "new/config.json").read_text())
    assert config["attention_window"] == 1024
    assert config["max_encoder_position_embeddings"] == 16384


def test_a_destination_is_not_overwritten_unless_forced(bare, convert, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("mine")
    assert "not empty; --force" in convert(bare, tmp_path)
    assert f"{note}: a file" in convert(bare, note)
    assert "is SRC" in convert(bare, bare, "--force")
    assert os.listdir(tmp_path) == ["note.txt"]
    assert convert(bare, tmp_path, "--force") == ["model.safetensors"]
    assert note.read_text() == "mine"


@pytest.mark.parametrize("to", ["safetensors", "bin", "h5", "keras"])
@pytest.mark.parametrize("kind", ["led", "bart"])
def test_weights_of_another_model_are_not_left_beside_the_new(
    bare, bart, convert, tmp_path, to, kind
):
    """A reader could take them for the new ones."""
    old = ["model.safetensors", "pytorch_model.bin", "tf_model.h5", "model.keras"]
    old += ["model.safetensors.index.json", "pytorch_model.bin.index.json"]
    old += ["model-00001-of-00002.safetensors", "tf_model-00001-of-00002.h5"]
    for name in [*old, "notes.bin"]:
        (tmp_path / name).write_text("old")
    options = [] if kind == "led" else ["--max-positions", "37"]
    source = bare if kind == "led" else bart
    assert "not empty" in convert(source, tmp_path, "--to", to)
    assert (tmp_path / "model.safetensors").read_text() == "old"
    new = convert(source, tmp_path, "--force", "--to", to, *options)
    assert set(os.listdir(tmp_path)) & set(old) == set(new) - {"notes.bin"}
    assert len(new) == (2 if to == "bin" else 1)
    assert (tmp_path / "notes.bin").read_text() == "old"


@pytest.mark.parametrize("place", ["file/new", "file/below/new"])
def test_a_destination_below_a_file_is_named(bare, convert, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    expected = f"{tmp_path / place}: {tmp_path}/file is a file, not a directory"
    assert convert(bare, tmp_path / place) == expected


def test_a_destination_that_cannot_be_written_is_named(
    bare, convert, tmp_path, monkeypatch
):
    new = tmp_path / "below/new"
    if os.path.isdir("/proc/self"):  # no rights help there
        assert convert(bare, "/proc/nothing/new").startswith("/proc/nothing/new: ")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert convert(bare, new) == f"{new}: no permission to write to {tmp_path}"
    assert not new.parent.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--attention-window", "5"], "`attention_window` must be positive and even"),
        (["--attention-window", "0"], "at least 1, got '0'"),
        (["--max-positions", "-1"], "at least 1, got '-1'"),
        (["--to", "onnx"], "'onnx'"),
    ],
)
def test_bad_options_leave_nothing(bare, convert, tmp_path, options, message):
    assert message in convert(bare, tmp_path / "new", *options)
    assert not (tmp_path / "new").exists()


@pytest.mark.filterwarnings("default")  # the command makes lines of them
def test_bad_sources_leave_nothing(bare, convert, tmp_path):
    new = tmp_path / "new"
    assert "./none: no such directory" in convert("./none", new)
    assert "no config.json" in convert(tmp_path, new)
    assert "a file, not" in convert(bare / "config.json", new)
    keras_alone = tmp_path / "keras_alone"
    keras_alone.mkdir()
    (keras_alone / "model.keras").write_text("weights")
    hint = "with keras.models.load_model after `import tf_led`"
    assert hint in convert(keras_alone, new)
    assert hint in convert(keras_alone / "model.keras", new)
    shutil.copy(bare / "config.json", keras_alone)
    assert hint in convert(keras_alone, new)
    broken = shutil.copytree(bare, tmp_path / "broken")
    held = weights(broken)
    held.pop("decoder.layers.0.fc2.bias")
    save_file(held, broken / "model.safetensors")
    rejection = convert(broken, new)
    assert "lacks 1 weights, decoder.layers.0.fc2.bias among them" in rejection
    (broken / "config.json").write_text('{"model_type": "t5"}')
    assert "'t5'" in convert(broken, new)
    (broken / "config.json").write_text("[]")
    assert "not a JSON object" in convert(broken, new)
    assert not new.exists()


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("no\nroom")])
def test_memory_that_is_not_there(bare, convert, tmp_path, monkeypatch, error):
    def fail(args):
        raise error

    monkeypatch.setattr("tf_led.cli.convert.convert", fail)
    rejection = convert(bare, tmp_path / "new", "--max-positions", "9" * 14)
    assert rejection.startswith(f"{bare}: too large for the memory here: ")


def test_torch_is_needed_for_bin_alone(bare, convert, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "needs PyTorch" in convert(bare, tmp_path / "new", "--to", "bin")
    assert not (tmp_path / "new").exists()
    assert convert(bare, tmp_path / "new") == ["model.safetensors"]


def test_the_head_follows_from_config_or_weights():
    assert head_of({"architectures": ["LEDForQuestionAnswering"]}, []).endswith("ering")
    assert head_of({"architectures": ["TFLEDModel"]}, []) == "TFLEDModel"
    unknown = {"architectures": ["Mine"]}
    keys = ["led.shared.weight", "classification_head.dense.bias"]
    assert head_of(unknown, keys) == "TFLEDForSequenceClassification"
    assert head_of(unknown, ["led.shared.weight"]) == "TFLEDForConditionalGeneration"
