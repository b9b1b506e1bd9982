"""Averages the weights of two checkpoints: `python -m ...average FIRST SECOND TO`.

The fourth run learns long texts and forgets a little of short ones. Between its weights
and those that it began with lie some that do both (Wortsman et al. 2021, "Robust
fine-tuning of zero-shot models", arXiv 2109.01903).
"""

import shutil
import sys
from pathlib import Path

SHARE = 0.6  # of the second checkpoint; what did best on the validation part


def average(first, second, folder, share=SHARE):
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
    average(*sys.argv[1:])
