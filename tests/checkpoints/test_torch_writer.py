from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

from tf_led.checkpoints.tensors import LazyTensor
from tf_led.checkpoints.torch_files import read_torch
from tf_led.checkpoints.torch_writer import check_torch, write_torch


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_and_we_read_what_is_written(tmp_path, dtype):
    array = np.arange(6).reshape(2, 3).astype(getattr(ml_dtypes, dtype, dtype)).T
    array.flags.writeable = False
    tensor = LazyTensor("a.b", array.shape, dtype, Path("file"), lambda: array)
    write_torch(tmp_path / "m.bin", [tensor])
    held = torch.load(tmp_path / "m.bin", weights_only=True)
    assert [*held] == ["a.b"] and held["a.b"].dtype == getattr(torch, dtype)
    assert held["a.b"].tolist() == [[0, 3], [1, 4], [2, 5]]
    again = read_torch(tmp_path / "m.bin")["a.b"]
    assert again.dtype == dtype
    np.testing.assert_array_equal(again.read(), array)


def test_without_torch(monkeypatch):
    check_torch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install torch"):
        check_torch()
