"""Killed by SIGKILL, a run goes on to the very same weights."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.cli.training_runs import argv_of, train

pytestmark = pytest.mark.slow

# Kills its own process as the state is about to take its place for the n-th time: the
# new one is written whole, and must not be taken for a save that was.
KILLED = """
import os, signal, sys
place, left = os.replace, int(sys.argv[1])
def replace(source, target):
    global left
    if str(target).endswith(sys.argv[2]):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    place(source, target)
os.replace = replace
from tf_led.cli.main import main
sys.exit(main(sys.argv[3:]))
"""


def train_until_killed(files, output, times, name):
    argv = [str(times), name, *argv_of(files, output)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *argv],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == ""


def test_a_killed_run_ends_as_one_that_was_not(run, tmp_path, capsys):
    output = tmp_path / "out"
    # Killed as the state of step 3 comes it goes on within an epoch; killed again as
    # the checkpoint of step 4 comes, at the beginning of one.
    train_until_killed(run.files, output, 2, "state.safetensors")
    train_until_killed(run.files, output, 2, "model.safetensors")
    (left,) = list(output.rglob(".saving-*"))  # as it was being written
    assert train(run.files, output) == 0
    out, err = capsys.readouterr()
    assert "going on after step 3 of 6" in err
    assert {**json.loads(out), "output": str(run.output)} == run[1]
    assert not left.exists()
    for file in ("model.safetensors", "training/state.safetensors"):
        ours, expected = load_file(output / file), load_file(run.output / file)
        assert ours.keys() == expected.keys()
        for key in expected.keys() - {"record"}:
            np.testing.assert_array_equal(ours[key], expected[key], err_msg=key)
