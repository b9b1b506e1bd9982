"""Which reader opens a file, and what is said of one that none opens."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.registry import open_weights


def test_each_format_has_its_reader(tmp_path):
    save_file({"a": np.ones(3)}, tmp_path / "model.safetensors")
    torch.save({"a": torch.ones(3)}, tmp_path / "pytorch_model.bin")
    for name in ("model.safetensors", "pytorch_model.bin"):
        assert open_weights(tmp_path / name)["a"].read().sum() == 3


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weight file .*none\.bin"):
        open_weights(tmp_path / "none.bin")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bin", b"", r"a\.bin` is empty"),
        ("a.safetensors", b"", r"a\.safetensors` is empty"),
        ("a.ckpt", b"x", r"a\.ckpt` is of no known format"),
        ("a.safetensors", b"\2\0\0\0\0\0\0\0{}", "holds no tensor"),
        ("a.bin", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_files_that_are_not_weights(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        open_weights(tmp_path / name)
