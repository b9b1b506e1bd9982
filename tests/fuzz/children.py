"""Runs commands in processes of their own, on small disks, killed at chosen moments.

Each is a fork of this process, which has imported what they need and computed nothing:
TensorFlow makes its threads with the first operation.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import NamedTuple

SECONDS = 240  # within which every command of ours ends
FAILED = 70  # the code of an exception
PLENTY = 1 << 28


class End(NamedTuple):
    """How a process ended.

    Args:
        code: int, its exit code; -9 of one that was killed, None of one that hung.
        lines: list of str, what it wrote to stderr.
        seconds: float, how long it took.
        writes: int, how often it opened a file for writing, renamed, removed and so on.
    """

    code: int | None
    lines: list
    seconds: float
    writes: int = 0


def load_libraries():
    """Imports what children would each need seconds for."""
    import datasets  # noqa: F401
    import h5py  # noqa: F401
    import tensorboard  # noqa: F401
    import torch  # noqa: F401
    from rouge_score import rouge_scorer  # noqa: F401

    import tf_led
    from tf_led.cli import convert, evaluate, export, summarize  # noqa: F401
    from tf_led.cli.train import command, loop  # noqa: F401
    from tf_led.models.serving import export as serving  # noqa: F401
    from tf_led.pipelines import long_documents  # noqa: F401

    for name in tf_led.__all__:
        getattr(tf_led, name)


def run(function, folder, *, log, stdout=None, size=None, at_write=None, after=None):
    """Calls a function in a process of its own.

    Args:
        function: takes nothing, returns an exit code.
        folder: Path; changes of files below it are counted.
        log: Path of a file that gets stderr.
        stdout: Path of a file that gets stdout; None for that of this process.
        size: int, bytes that no file may be longer than; None for no limit.
        at_write: int; the process is killed before its change of that number.
        after: float, seconds, after which the process is killed.

    Returns:
        `End`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(function, folder, log, stdout, size, at_write, writing)
    os.close(writing)
    code = _wait(child, began, after)
    seconds = time.monotonic() - began
    with open(reading, "rb") as pipe:
        writes = len(pipe.read())
    return End(code, log.read_text(errors="replace").splitlines(), seconds, writes)


def _be_child(function, folder, log, stdout, size, at_write, writing):
    code = FAILED
    try:
        for number, path in ((1, stdout), (2, log)):
            if path is not None:
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        if size is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        sys.addaudithook(_watch(str(folder), writing, at_write))
        code = function()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


REMOVALS = ("os.remove", "os.rmdir")
CHANGES = (*REMOVALS, "os.rename", "os.mkdir", "os.truncate")


def _watch(folder, writing, at_write):
    """Makes what is told of every change; it says so, or kills before the n-th one."""
    number = 0

    def is_change(event, args):
        if event == "open":
            is_writing = (args[2] or 0) & (os.O_WRONLY | os.O_RDWR)
            return is_writing and str(args[0]).startswith(folder)
        # Relative to a folder that is open: shutil.rmtree, which nobody else calls.
        is_removal = event in REMOVALS and args[-1] >= 0
        return is_removal or (event in CHANGES and str(args[0]).startswith(folder))

    def watch(event, args):
        nonlocal number
        if is_change(event, args):
            number += 1
            os.write(writing, b".")
            if number == at_write:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


def _wait(child, began, after):
    """Waits, and kills when it is time; returns the exit code, None if it hung."""
    limit = SECONDS if after is None else after
    while time.monotonic() - began < limit:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.003)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return None if after is None else os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def disk(folder, size):
    """Puts a disk of its own under a folder, where this machine lets us.

    Args:
        folder: Path of an empty folder.
        size: int, its bytes.

    Yields:
        bool, whether it is one.
    """
    is_mounted = _mount(folder, f"size={size}")
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def enlarge(folder):
    """Makes a disk of `disk` large enough for everything."""
    _mount(folder, f"remount,size={PLENTY}")


def _mount(folder, options):
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True).returncode == 0
    return False


def used(folder):
    """Bytes that the files of a folder take, in blocks of a disk.

    Args:
        folder: Path.

    Returns:
        int.
    """
    return sum(path.lstat().st_blocks * 512 for path in Path(folder).rglob("*"))
