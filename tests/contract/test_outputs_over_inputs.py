"""Every function that writes, given what it was made from: no byte of it is lost.

The commands are tested in tests/cli/test_outputs.py and tests/cli/train.
"""

import functools
import hashlib
import shutil
from types import SimpleNamespace

import keras
import pytest

import tf_led
from tests.tokenization.conftest import FILES
from tf_led.checkpoints.save import save_weights
from tf_led.testing import tiny_config
from tf_led.training.run_folder import RunFolder
from tf_led.training.state import save_state

SMALL = {"encoder_layers": 1, "decoder_layers": 1, "vocab_size": 562}


# These say where they were loaded from.
TELLING = ("adapter_config.json", "tokenizer_config.json")


def digests(folder):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TELLING
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a checkpoint, its tokenizer, adapters, a `.keras` file and data."""
    folder = tmp_path_factory.mktemp("written")
    tf_led.LEDTokenizerFast(*FILES).save_pretrained(folder)
    model = tf_led.TFLEDForConditionalGeneration(tiny_config(**SMALL))
    model.save_pretrained(folder)
    model.save(folder / "model.keras")
    model.enable_lora(2, targets=["q_proj"])
    model.save_lora(folder)
    (folder / "data.jsonl").write_text('{"document": "a b", "summary": "c"}\n')
    return folder


@pytest.fixture
def world(written, tmp_path):
    """Copies of those files, and what was loaded from them."""
    folder = shutil.copytree(written, tmp_path / "folder")
    load = tf_led.TFLEDForConditionalGeneration.from_pretrained
    return SimpleNamespace(
        folder=folder,
        load=functools.partial(load, folder),
        tokenizer=tf_led.LEDTokenizerFast.from_pretrained(folder),
    )


def save_adapters(world):
    model = world.load()
    model.load_lora(world.folder)
    model.save_lora(world.folder)


def save_keras_file(world):
    """The weights are the same; a zip file says when it was written."""
    file = world.folder / "model.keras"
    model = keras.models.load_model(file)
    model.save(file)
    again = keras.models.load_model(file)
    for path, value in model.weight_table().items():
        assert (value.numpy() == again.weight_table()[path].numpy()).all()
    shutil.copy(world.folder.parent / "model.keras", file)


def batch(world, cache_dir):
    data = world.folder / "data.jsonl"
    options = {"batch_size": 1, "max_source_length": 9, "max_target_length": 9}
    tf_led.data.make_dataset(data, world.tokenizer, cache_dir=cache_dir, **options)


def export_encoder_decoder(world):
    with pytest.warns(UserWarning, match="final_logits_bias"):
        model = tf_led.TFLEDModel.from_pretrained(world.folder)
    model.export(world.folder)


def run_in(folder):
    """The files of a run lie in a folder of their own."""
    run = RunFolder(folder)
    with run.owned():
        run.begin({"epochs": 3})
        save_state(run.path, {"step": keras.Variable(3.0)}, {"epoch": 1})
        run.note_checkpoint()
        run.end({"loss": 0.5})


ONTO_ITSELF = {
    "save_pretrained": lambda w: w.load().save_pretrained(w.folder),
    "save_weights": lambda w: save_weights(w.load().weight_table(), w.folder),
    "save_lora": save_adapters,
    "save": save_keras_file,
    "tokenizer": lambda w: w.tokenizer.save_pretrained(w.folder),
    "vocabulary": lambda w: w.tokenizer.save_vocabulary(w.folder),
    "cache": lambda w: batch(w, w.folder),
    "export": export_encoder_decoder,
    "run": lambda w: run_in(w.folder),
    "logs": lambda w: keras.callbacks.TensorBoard(w.folder).set_model(keras.Model()),
}


@pytest.mark.parametrize("name", ONTO_ITSELF)
def test_a_folder_written_onto_itself_is_what_it_was(name, world, tmp_path):
    shutil.copy(world.folder / "model.keras", tmp_path / "model.keras")
    before = digests(world.folder)
    ONTO_ITSELF[name](world)
    after = digests(world.folder)
    assert {path: after[path] for path in before} == before
    assert not list(world.folder.glob(".*"))


ONTO_A_FILE = {
    "save_pretrained": lambda w, file: w.load().save_pretrained(file),
    "save_weights": lambda w, file: save_weights(w.load().weight_table(), file),
    "save_lora": lambda w, file: lora(w.load()).save_lora(file),
    "export": lambda w, file: w.load().export(file, max_new_tokens=2),
    "tokenizer": lambda w, file: w.tokenizer.save_pretrained(file),
    "cache": batch,
}


def lora(model):
    model.enable_lora(2, targets=["q_proj"])
    return model


@pytest.mark.parametrize("name", ONTO_A_FILE)
def test_a_file_is_not_taken_for_a_folder(name, world):
    before = digests(world.folder)
    with pytest.raises((NotADirectoryError, FileExistsError, ValueError)) as caught:
        ONTO_A_FILE[name](world, world.folder / "data.jsonl")
    assert "data.jsonl" in str(caught.value)
    assert digests(world.folder) == before
