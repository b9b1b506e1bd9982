"""Locks on folders, between processes and within one."""

import subprocess
import sys

from tf_led.checkpoints import locks
from tf_led.checkpoints.locks import lock, locked, unlock


def test_a_lock_is_had_once(tmp_path):
    held = lock(tmp_path, wait=False)
    assert held is not None and lock(tmp_path, wait=False) is None
    unlock(held)
    with locked(tmp_path):
        assert lock(tmp_path, wait=False) is None
    again = lock(tmp_path, wait=True)
    assert again is not None
    unlock(again)


def test_a_lock_ends_with_its_process(tmp_path):
    source = (
        "import os, pathlib, sys\n"
        "from tf_led.checkpoints.locks import lock\n"
        "print(lock(pathlib.Path(sys.argv[1]), wait=False) is not None, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", source, str(tmp_path)]
    held = lock(tmp_path, wait=False)
    assert subprocess.run(command, capture_output=True).stdout == b"False\n"
    unlock(held)
    assert subprocess.run(command, capture_output=True).stdout == b"True\n"
    held = lock(tmp_path, wait=False)
    assert held is not None
    unlock(held)


def test_where_there_are_no_locks_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    assert lock(tmp_path, wait=False) is None
    with locked(tmp_path):
        pass
