"""A checkpoint to convert: its weights, and the files that go along with them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import GenerationConfig

from tf_led.checkpoints.hub.resolve import find_file, resolve
from tf_led.checkpoints.json_files import (
    GENERATION_CONFIG,
    TOKENIZER_CONFIG,
    TOKENIZER_FILES,
    read_object,
    write_object,
)


@dataclass(frozen=True)
class Source:
    """A checkpoint that lies on this machine, or in the cache of the Hub.

    Args:
        name: str, the folder or Hub id as given.
        weights: Path of the weight file or of the index.
        get: takes a file's name; returns its Path, or None if it does not exist.
    """

    name: str
    weights: Path
    get: Callable[[str], Path | None]

    def read_json(self, file_name):
        """Reads a file that holds a JSON object.

        Args:
            file_name: str.

        Returns:
            dict.

        Raises:
            FileNotFoundError: if it does not exist.
            CheckpointError: if it is something else.
        """
        path = self.get(file_name)
        if path is None:
            raise FileNotFoundError(f"`{self.name}` has no {file_name}.")
        return read_object(path)

    def copy_generation_config(self, folder):
        """Copies generation_config.json, or what an old config.json says in its place.

        Args:
            folder: Path to copy to.
        """
        if self.get(GENERATION_CONFIG) is not None:
            self._copy(GENERATION_CONFIG, folder)
            return
        known = vars(GenerationConfig())
        fields = self.read_json("config.json")
        options = {name: value for name, value in fields.items() if name in known}
        options.pop("transformers_version", None)
        write_object(folder / GENERATION_CONFIG, options)

    def copy_tokenizer(self, folder, model_max_length=None):
        """Copies the tokenizer's files, as far as there are any, as a LED's.

        Args:
            folder: Path to copy to.
            model_max_length: int, the length that the tokenizer truncates to; None for
                what its configuration says.

        Raises:
            CheckpointError: if tokenizer_config.json is no JSON object.
        """
        for file_name in TOKENIZER_FILES:
            self._copy(file_name, folder)
        path = self.get(TOKENIZER_CONFIG)
        if path is None:
            return
        fields = read_object(path)
        if model_max_length is not None:
            fields["model_max_length"] = model_max_length
        if str(fields.get("tokenizer_class")).startswith("Bart"):
            fields["tokenizer_class"] = "LEDTokenizer"
        write_object(folder / TOKENIZER_CONFIG, fields)

    def _copy(self, file_name, folder):
        path = self.get(file_name)
        if path is not None:
            shutil.copyfile(path, folder / file_name)


def open_source(name_or_dir):
    """Finds a checkpoint to convert, downloading its weights if need be.

    Args:
        name_or_dir: str or Path of a folder, or a Hub id.

    Returns:
        `Source`.

    Raises:
        FileNotFoundError: if there is no such folder or model, or it has no weights.
        OSError: if the Hub cannot be reached.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.checkpoints.hub.source import open_source
        >>> from tf_led.testing import tiny_config
        >>> TFLEDModel(tiny_config()).save_pretrained("checkpoint")
        >>> open_source("checkpoint").read_json("config.json")["vocab_size"]
        29
    """
    found = resolve(name_or_dir)

    def get(file_name):
        # Of the same commit, whatever happens on the Hub meanwhile.
        return find_file(name_or_dir, file_name, revision=found.commit_hash)

    return Source(str(name_or_dir), found.weights, get)
