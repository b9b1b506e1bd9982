"""Averages weights of two checkpoints: `python -m ...average FIRST SECOND TO SHARE`.

The run on long texts learns them and forgets a little of short ones, and one that goes
on for long learns some by heart. Between the weights of such a run and those that it
began with lie some that do both (Wortsman et al. 2021, "Robust fine-tuning of zero-shot
models", arXiv 2109.01903).
"""

import shutil
import sys
from pathlib import Path


def average(first, second, folder, share):
    """Saves the second checkpoint with weights between those of both.

    Args:
        first: path of a checkpoint.
        second: path of another of the same shapes.
        folder: path to save to.
        share: float from 0 to 1, how much of the second there is in the weights.
    """
    from safetensors.numpy import load_file, save_file

    first, second = Path(first), Path(second)
    shutil.copytree(second, folder, ignore=shutil.ignore_patterns("training"))
    name = "model.safetensors"
    ours, theirs = load_file(first / name), load_file(second / name)
    mean = {key: (1 - share) * ours[key] + share * theirs[key] for key in theirs}
    save_file(mean, Path(folder) / name, metadata={"format": "pt"})


if __name__ == "__main__":
    average(*sys.argv[1:4], share=float(sys.argv[4]))
