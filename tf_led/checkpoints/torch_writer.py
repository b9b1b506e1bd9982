"""Weights as PyTorch's own pytorch_model.bin, where torch is there to write it."""

import importlib.util

import numpy as np


def check_torch():
    """Refuses to begin where torch is missing.

    Raises:
        ValueError: saying what to do instead.

    Example:
        >>> from tf_led.checkpoints.torch_writer import check_torch
        >>> check_torch()
    """
    if importlib.util.find_spec("torch") is None:
        raise ValueError(
            "pytorch_model.bin (`safe_serialization=False`) needs PyTorch, which is "
            "not installed: `pip install torch`, or save as safetensors, which "
            "PyTorch's LED opens as well."
        )


def write_torch(path, tensors):
    """Writes one file of weights as `torch.save` does.

    Args:
        path: str or Path, where to.
        tensors: iterable of `LazyTensor`; all are in memory at once.
    """
    import torch

    torch.save({tensor.name: _to_torch(tensor) for tensor in tensors}, path)


def _to_torch(tensor):
    import torch

    array = np.array(tensor.read(), order="C")  # torch wants one it may write to
    if tensor.dtype == "bfloat16":  # which torch does not take from NumPy
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
