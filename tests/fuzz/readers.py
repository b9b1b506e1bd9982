"""Every reader of files: how a good one is made, and how a user has it read."""

import json
import shutil
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
ARCHIVE = TESTS / "checkpoints/old_files/old.tar.xz"
WORDS = ["the", "cat", "sat", "ran", "on", "a", "mat", "and", "so", "it", "was"]


class Reader(NamedTuple):
    """A kind of file.

    Args:
        file: str, the path of the file to spoil, in the folder that `make_all` fills;
            `*` stands for one folder.
        read: takes that path.
        errors: the errors that a spoiled file may lead to.
        seconds: number, how long it may take. Where a whole model is made, its layers
            take longer than any file.
    """

    file: str
    read: Callable
    errors: tuple = (ValueError, OSError)
    seconds: float = 1


def make_all(folder):
    """Writes a good file of every kind.

    Args:
        folder: Path.
    """
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    for old, new in {
        "torch-safetensors": "safetensors",
        "tf-safetensors": "tf_safetensors",
        "torch-bin": "zip",
        "tf-h5": "h5",
        "tf-safetensors-sharded": "sharded",
    }.items():
        (folder / "old" / old).rename(folder / new)
    shutil.rmtree(folder / "old")
    _make_legacy(folder)
    shutil.copytree(folder / "safetensors", folder / "model")
    (folder / "keras").mkdir()
    _make_keras(folder / "keras/model.keras")
    make_tokenizer(folder / "tokenizer")
    _make_adapters(folder / "adapters")
    _make_state(folder / "state")
    _make_data(folder / "data")
    _make_run(folder / "run")
    (folder / "cache").mkdir()
    _cached_rows(folder)


def _make_keras(file):
    """Writes a model of one layer each: a whole one is made for every file."""
    from tf_led import TFLEDForConditionalGeneration
    from tf_led.testing import tiny_config

    config = tiny_config(encoder_layers=1, decoder_layers=1)
    TFLEDForConditionalGeneration(config).save(file)


def _make_legacy(folder):
    import torch

    (folder / "legacy").mkdir()
    torch.save(
        torch.load(folder / "zip/pytorch_model.bin"),
        folder / "legacy/pytorch_model.bin",
        _use_new_zipfile_serialization=False,
    )


def make_tokenizer(folder):
    """Writes a tokenizer of 290 tokens.

    Args:
        folder: Path, made by it.
    """
    from tokenizers import ByteLevelBPETokenizer

    from tf_led import LEDTokenizerFast

    folder.mkdir()
    learner = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learner.train_from_iterator(
        [" ".join(WORDS)] * 9, vocab_size=290, special_tokens=special
    )
    learner.save_model(str(folder))
    fields = {
        "model_max_length": 99,
        "padding_side": "right",
        "truncation_side": "right",
        "split_special_tokens": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    LEDTokenizerFast.from_pretrained(folder, **fields).save_pretrained(folder)


def _make_adapters(folder):
    import numpy as np

    from tf_led.checkpoints.peft import save_adapters

    path = "led/decoder/layers/0/fc1/kernel"
    pair = np.ones([6, 2], "float32"), np.ones([2, 5], "float32")
    save_adapters(folder, {path: pair}, {}, rank=2, alpha=3, base="some/model")


def _state_variables():
    import keras

    return {"a/0": keras.Variable([1.0, 2.0, 3.0]), "a/1": keras.Variable(5.0)}


def _make_state(folder):
    from tf_led.training.state import save_state

    save_state(folder, _state_variables(), {"epoch": 1, "step": 7})


def _make_data(folder):
    folder.mkdir()
    rows = [{"document": " ".join(WORDS[n:]), "summary": WORDS[n]} for n in range(7)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.jsonl").write_text(text, encoding="utf-8")


def _make_run(folder):
    from tf_led.training.run_folder import RunFolder

    RunFolder(folder).begin({"epochs": 3, "seed": 0})


def _cached_rows(folder):
    """Reads the rows of a cache, which is made where it is missing or damaged."""
    import numpy as np

    from tf_led import LEDTokenizerFast
    from tf_led.data.cache import cached
    from tf_led.data.records import DataReport

    def write(sources, targets):
        ids = np.arange(15, dtype="int32")
        sources.write(ids.tobytes())
        targets.write(ids[:5].tobytes())
        return [3, 8, 15], [1, 2, 5]

    data = folder / "data/train.jsonl"
    tokenizer = LEDTokenizerFast.from_pretrained(folder / "tokenizer")
    report = DataReport(str(data))
    sources, targets, _ = cached(folder / "cache", data, tokenizer, [], write, report)
    return [row.tolist() for rows in (sources, targets) for row in rows]


def read_cache(path):
    """Reads a cache: the rows are right, whatever has become of the file."""
    ids = [*range(15)]
    right = [ids[:3], ids[3:8], ids[8:], [0], [1], [2, 3, 4]]
    assert _cached_rows(path.parents[2]) == right


def read_run(path):
    """Compares the arguments of a run with those that it began with."""
    from tf_led.training.run_folder import RunFolder

    RunFolder(path.parents[1]).differences({"epochs": 3, "seed": 0})


def read_checkpoint(path):
    """Loads the model of the folder that the file is in."""
    from tf_led import TFLEDForConditionalGeneration

    TFLEDForConditionalGeneration.from_pretrained(path.parent)


def read_generation_config(path):
    """Loads the options of the folder that the file is in, as a model does."""
    from tf_led.models.pretrained.from_pretrained import (
        load_config,
        load_generation_config,
    )

    folder = str(path.parent)
    load_generation_config(folder, load_config(folder, {}, {}), {})


_VARIABLES = {}


def read_weights(path):
    """Loads a file into the variables of one model, which is made once."""
    from tf_led import TFLEDForConditionalGeneration
    from tf_led.checkpoints.load import load_weights

    if not _VARIABLES:
        good = TFLEDForConditionalGeneration.from_pretrained(path.parents[1] / "good")
        _VARIABLES.update(good.weight_table())
    load_weights(_VARIABLES, path)


def read_keras(path):
    """Opens a `.keras` file with `import tf_led` alone."""
    import keras

    import tf_led  # noqa: F401

    keras.models.load_model(path)


def read_tokenizer(path):
    """Loads the tokenizer of the folder that the file is in, and uses it."""
    from tf_led import LEDTokenizerFast

    tokenizer = LEDTokenizerFast.from_pretrained(path.parent)
    tokenizer.decode(tokenizer("the cat sat").input_ids)
    tokenizer(["the cat", "a"], padding=True, truncation=True, max_length=4)


def read_adapters(path):
    """Loads LoRA adapters."""
    from tf_led.checkpoints.peft import load_adapters

    load_adapters(path.parent)


def read_state(path):
    """Loads the state of a run."""
    from tf_led.training.state import load_state

    load_state(path.parent, _state_variables())


def read_data(path):
    """Reads examples, leaving out the bad ones."""
    from tf_led.data.records import DataReport, read_examples

    report = DataReport(str(path))
    list(read_examples(path, report))


def read_quietly(reader, path):
    """Reads one file without warnings of what is missing, NaN and so on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        READERS[reader].read(path)


# Keras reads the rest of its file itself, with errors of its own.
KERAS_ERRORS = (Exception,)
READERS = {
    "config": Reader("model/config.json", read_checkpoint, seconds=9),
    "generation config": Reader("model/generation_config.json", read_generation_config),
    "safetensors": Reader("safetensors/model.safetensors", read_weights),
    "tf safetensors": Reader("tf_safetensors/model.safetensors", read_weights),
    "torch zip": Reader("zip/pytorch_model.bin", read_weights),
    "torch legacy": Reader("legacy/pytorch_model.bin", read_weights),
    "h5": Reader("h5/tf_model.h5", read_weights),
    "index": Reader("sharded/model.safetensors.index.json", read_weights),
    "keras": Reader("keras/model.keras", read_keras, KERAS_ERRORS, seconds=9),
    "tokenizer.json": Reader("tokenizer/tokenizer.json", read_tokenizer),
    "tokenizer config": Reader("tokenizer/tokenizer_config.json", read_tokenizer),
    "adapters": Reader("adapters/adapter_model.safetensors", read_adapters),
    "adapter config": Reader("adapters/adapter_config.json", read_adapters),
    "state": Reader("state/state.safetensors", read_state),
    "data": Reader("data/train.jsonl", read_data),
    "cached ids": Reader("cache/*/sources.bin", read_cache),
    "cached ends": Reader("cache/*/source_ends.npy", read_cache),
    "cache report": Reader("cache/*/report.json", read_cache),
    "run arguments": Reader("run/training/arguments.json", read_run),
}
