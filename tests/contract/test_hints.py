"""Advice in errors: what it names exists, and what it says to do works."""

import argparse
import ast
import configparser
import importlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import keras
import numpy as np
import pytest
import torch

import tf_led
from tests.fuzz.readers import ARCHIVE
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.load import load_weights
from tf_led.checkpoints.save import save_weights
from tf_led.cli.main import COMMANDS

PACKAGE = Path(tf_led.__file__).parent
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
}


def messages():
    """Yields (place, text) of every error; `{}` stands for what is filled in."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                parts = [
                    part.value if isinstance(part, ast.Constant) else "{}"
                    for part in ast.walk(node.exc)
                    if isinstance(part, ast.FormattedValue)
                    or (isinstance(part, ast.Constant) and isinstance(part.value, str))
                ]
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", " ".join(parts)


def found(pattern):
    """Lists (place, what a group of the pattern matched) in all messages."""
    every = [(place, re.findall(pattern, text)) for place, text in messages()]
    listed = [(place, name) for place, names in every for name in names]
    assert listed
    return listed


def test_arguments_that_advice_names_exist():
    from transformers import GenerationConfig, LEDConfig

    known = {*vars(GenerationConfig()), *LEDConfig().to_dict()}
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.arguments):
                args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
                known |= {arg.arg for arg in args}
    named = found(r"(?<![\w-])([a-z_]{3,})=(?:True|False|None|\d|'|\")")
    assert [row for row in named if row[1] not in known] == []


def test_methods_that_advice_names_exist():
    known = {
        name for cls in (keras.Model, tf_led.LEDTokenizerFast) for name in dir(cls)
    }
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                known.add(node.name)
    named = found(r"(?:[`. ])([a-z_]{4,})\(")
    outside = {"cast", "tokenizer"}
    assert [row for row in named if row[1] not in known | outside] == []


def test_options_that_advice_names_exist():
    known = set()
    for module in COMMANDS.values():
        parser = argparse.ArgumentParser()
        importlib.import_module(module).add_arguments(parser)
        known |= {word for action in parser._actions for word in action.option_strings}
    named = found(r"(?<![\w-])(--[a-z][a-z0-9-]*[a-z0-9])(?![\w-])")
    assert [row for row in named if row[1] not in known] == []


def test_extras_that_advice_names_exist():
    setup = configparser.ConfigParser()
    setup.read(PACKAGE.parent / "setup.cfg")
    extras = setup["options.extras_require"]
    assert {name for _, name in found(r"tf_led\[(\w+)\]")} <= set(extras)


def test_the_hubs_command_for_a_token_exists():
    assert found(r"(hf auth login)")
    command = [sys.executable, "-c", "from huggingface_hub.cli.hf import main; main()"]
    done = subprocess.run([*command, "auth", "login", "--help"], capture_output=True)
    assert done.returncode == 0 and b"token" in done.stdout


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old"


def test_untied_embeddings_load_as_the_error_says(old, tmp_path):
    folder = shutil.copytree(old / "torch-untied", tmp_path / "untied")
    fields = json.loads((folder / "config.json").read_text())
    fields["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(fields))
    load = tf_led.TFLEDForConditionalGeneration.from_pretrained
    with pytest.raises(CheckpointError, match="`tie_word_embeddings=False`"):
        load(folder)
    assert not load(folder, tie_word_embeddings=False).config.tie_word_embeddings


def test_other_sizes_load_as_the_error_says(old):
    load = tf_led.TFLEDForConditionalGeneration.from_pretrained
    with pytest.raises(CheckpointError, match="`ignore_mismatched_sizes=True`"):
        load(old / "torch-bin", vocab_size=31)
    with pytest.warns(UserWarning, match="another shape"):
        load(old / "torch-bin", vocab_size=31, ignore_mismatched_sizes=True)


def test_a_training_checkpoint_loads_as_the_error_says(tmp_path):
    """Of it, the state dict is saved."""
    state = {"led.encoder.layernorm_embedding.weight": torch.ones(3)}
    gain = {"led/encoder/layernorm_embedding/gamma": keras.Variable(np.zeros(3))}
    file = tmp_path / "pytorch_model.bin"
    torch.save({"model": state, "step": 3}, file)
    with pytest.raises(CheckpointError, match="save the state dict"):
        load_weights(gain, file)
    torch.save(state, file)
    load_weights(gain, file)
    assert gain.popitem()[1].numpy().tolist() == [1, 1, 1]


def test_without_torch_safetensors_are_saved_as_the_error_says(tmp_path, monkeypatch):
    gain = {"led/encoder/layernorm_embedding/gamma": keras.Variable(np.zeros(3))}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="save as safetensors"):
        save_weights(gain, tmp_path, safe_serialization=False)
    assert save_weights(gain, tmp_path)
