"""Flips a bit in a file of a run's folder, and goes on training.

python -m tests.fuzz.flipped_bits --count 200 --seed 3 --runs stopped best

Either the file is named and nothing is trained, or the checkpoint is, to the byte, that
of a run which nothing has befallen. Everything happens in this process, and eagerly:
with one step to take, nothing is worth compiling.
"""

import argparse
import contextlib
import hashlib
import io
import random
import secrets
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from unittest import mock

from tests.fuzz.small_files import make_checkpoint, make_examples

LENGTHS = ["--epochs", "2", "--batch-size", "4", "--save-steps", "5"]
BEST = ["--validation", "{folder}/validation.jsonl", "--patience", "3"]
STEPS = 6  # of 10 examples
# Options beyond those of all runs, and whether the run is broken off at its last step,
# after the save before it.
RUNS = {
    "stopped": ([], True),
    "best": (BEST, True),
    "lora": (["--lora-rank", "2"], True),
    "complete": (BEST, False),
}


class Case:
    """A run's folder, and what it becomes when nothing is damaged.

    Args:
        folder: Path that `make_inputs` has filled.
        name: str, a key of `RUNS`.
    """

    def __init__(self, folder, name):
        options, is_stopped = RUNS[name]
        self.output, self._kept = folder / name, folder / f"{name}-kept"
        self._argv = ["train", "--model", f"{folder}/model", *LENGTHS]
        self._argv += ["--train", f"{folder}/train.jsonl", "--learning-rate", "0.01"]
        self._argv += [word.format(folder=folder) for word in options]
        self._argv += ["--output", str(self.output)]
        self._go_on(0)
        self.expected = digests(self.output)
        if is_stopped:
            shutil.rmtree(self.output)
            with stopped_at(STEPS):
                self._go_on(130)
        self.output.rename(self._kept)
        self.restore()
        self._go_on(0)
        assert digests(self.output) == self.expected, "a run does not go on as it was"
        self.restore()
        self.files = sorted(
            path.relative_to(self.output)
            for path in self.output.rglob("*")
            if path.is_file() and path.stat().st_size
        )

    def _go_on(self, expected):
        code, error = answer(self._argv)
        assert code == expected, error

    def restore(self):
        """Makes the folder what it was before a bit was flipped."""
        shutil.rmtree(self.output, ignore_errors=True)
        shutil.copytree(self._kept, self.output)

    def flip(self, file, place):
        """Flips a bit and goes on.

        Args:
            file: Path within the run's folder.
            place: int, which bit.

        Returns:
            str: "named", "harmless", or what went wrong.
        """
        self.restore()
        path = self.output / file
        content = bytearray(path.read_bytes())
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        code, error = answer(self._argv)
        if code == 0:
            is_same = digests(self.output) == self.expected
            return "harmless" if is_same else f"another checkpoint: {error}"
        is_named = code == 2 and str(path) in error
        return "named" if is_named else f"ended with {code}: {error}"

    def begins_anew(self):
        """Obeys the error, with the folder as the last flipped bit has left it.

        Returns:
            bool, whether the run, begun anew, comes to the same.
        """
        shutil.rmtree(self.output / "training")
        return (
            answer([*self._argv, "--force"])[0] == 0
            and digests(self.output) == self.expected
        )


def make_inputs(folder):
    """Writes the checkpoint and the examples of all runs.

    Args:
        folder: Path, made by it.
    """
    folder.mkdir(parents=True)
    # With one window for a whole document, an eager step takes half the time.
    make_checkpoint(folder / "model", attention_window=32)
    make_examples(folder / "train.jsonl", 10)
    make_examples(folder / "validation.jsonl", 3)


def answer(argv):
    """Runs the command here; returns its exit code and the last line of stderr."""
    import keras

    from tf_led.cli.main import main

    keras.backend.clear_session()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
        try:
            code = main(argv)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"
    return code, stderr.getvalue().rstrip().rpartition("\n")[2]


@contextlib.contextmanager
def stopped_at(step):
    """Has Ctrl-C come at the end of a step."""
    from tf_led.cli.train.loop import Progress

    taken = 0

    def stop(*_, **__):
        nonlocal taken
        taken += 1
        if taken == step:
            raise KeyboardInterrupt

    with mock.patch.object(Progress, "on_train_batch_end", stop):
        yield


@contextlib.contextmanager
def eagerly():
    """Has functions run without being traced."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def digests(output):
    """What a run leaves for others: the digest of each file of its checkpoint."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in output.iterdir()
        if path.is_file()
    }


def flip_all(folder, count, seed, runs=tuple(RUNS), tell=lambda line: None):
    """Flips bits of every file of every run.

    Args:
        folder: Path, which must not exist.
        count: int, places in each file, or all of a small one.
        seed: int.
        runs: keys of `RUNS`.
        tell: takes a line about each file.

    Returns:
        (dict of counts by what came of it, list of str that describe failures).
    """
    totals, failures = Counter(), []
    with eagerly():
        make_inputs(folder)
        for name in runs:
            case = Case(folder, name)
            for file in case.files:
                rng, began = random.Random(f"{seed} {name} {file}"), time.monotonic()
                counts, failed = flip_file(case, file, count, rng)
                totals.update(counts)
                failures += [f"{name}: {line}" for line in failed]
                seconds = time.monotonic() - began
                tell(f"{name:10}{str(file):68}{dict(counts)} {seconds:.0f} s")
    return dict(totals), failures


def flip_file(case, file, count, rng):
    """Flips bits of one file, one at a time.

    Args:
        case: `Case`.
        file: Path within its folder.
        count: int, how many, or all of a small file.
        rng: random.Random.

    Returns:
        (Counter by what came of it, list of str that describe failures).
    """
    counts, failures = Counter(), []
    case.restore()
    size = 8 * (case.output / file).stat().st_size
    for place in rng.sample(range(size), min(count, size)):
        found = case.flip(file, place)
        if found not in ("named", "harmless"):
            failures.append(f"{file}: bit {place}: {found}")
            found = "failed"
        counts[found] += 1
    if counts["named"] and not case.begins_anew():
        failures.append(f"{file}: the advice to delete training does not work")
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="of bits of each file")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=[*RUNS])
    parser.add_argument("--folder", type=Path, default=Path("build/flipped_bits"))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    shutil.rmtree(args.folder, ignore_errors=True)

    def tell(line):
        print(line, flush=True)

    folder = args.folder.absolute()
    totals, failures = flip_all(folder, args.count, args.seed, args.runs, tell)
    print(totals, *failures, f"{len(failures)} failures", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
