"""Files and directories that commands write: checked first, then written as a whole."""

import contextlib
import io
import os
import stat
import sys
from pathlib import Path

from tf_led.checkpoints.disk.atomic import MAX_NAME, same_place, staged
from tf_led.cli.parser import UsageError


def check_folder(name, folder):
    """Checks that a directory can be made, and written to.

    Args:
        name: str, what messages call it.
        folder: str or Path.

    Raises:
        UsageError: if not.
    """
    here = Path(folder).absolute()
    while not os.path.exists(here):  # unlike pathlib's, it takes names of any length
        if len(os.fsencode(here.name)) > MAX_NAME:
            raise UsageError(f"{name}: {here.name[:20]!r}... is too long for a name")
        here = here.parent
    if not os.path.isdir(here):
        raise UsageError(f"{name}: {here} is a file, not a directory")
    if not os.access(here, os.W_OK | os.X_OK):
        raise UsageError(f"{name}: no permission to write to {here}")


def check_file(option, path, inputs):
    """Checks, before anything is read, that a file can be written without a loss.

    Args:
        option: str, that of the file.
        path: str, the file.
        inputs: dict from option to the path of a file, or of a directory whose files
            are read.

    Raises:
        UsageError: if `path` is read, or cannot be written.
    """
    if not path:
        raise UsageError(f"{option}: an empty name; name a file")
    name = f"{option} {path}"
    for other, source in inputs.items():
        if same_place(path, source):
            raise UsageError(f"{name}: is what {other} reads; name another file")
        if any(same_place(path, file) for file in _files(source)):
            raise UsageError(f"{name}: is a file of {other}; name another file")
    if os.path.isdir(path):
        raise UsageError(f"{name}: a directory; name a file in it")
    _check_is_no_stream(name, path)
    if is_device(path):
        if not os.access(path, os.W_OK):
            raise UsageError(f"{name}: no permission to write to it")
        return
    if len(os.fsencode(os.path.basename(path))) > MAX_NAME:
        raise UsageError(f"{name[:80]}...: too long for a name")
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"{name}: there is no directory {folder}")
    check_folder(name, folder)


def _check_is_no_stream(name, path):
    """Checks that what is written as a whole is not what lines are written to."""
    for stream, called in ((sys.stdout, "output"), (sys.stderr, "error")):
        try:
            status = os.fstat(stream.fileno())
            is_same = os.path.samestat(status, os.stat(path))
        except (OSError, ValueError):  # no descriptor, or no such file yet
            continue
        if is_same and not stat.S_ISCHR(status.st_mode):
            raise UsageError(f"{name}: is standard {called}; name another file")


def is_device(path):
    """Whether a path leads to a pipe, a terminal or another device.

    Args:
        path: str.

    Returns:
        bool.
    """
    is_file = os.path.isfile(path) or os.path.isdir(path)
    return os.path.exists(path) and not is_file


def _files(folder):
    """The files of a directory that may be a checkpoint's; lines of JSON are not."""
    if not os.path.isdir(folder):
        return []
    return [path for path in Path(folder).iterdir() if path.suffix != ".jsonl"]


@contextlib.contextmanager
def open_file(path):
    """Opens a text file for writing, which appears as a whole when the block ends.

    Args:
        path: str; a file that is there is replaced.

    Yields:
        The open file.

    Raises:
        OSError: if it cannot be written; what was there is there still.
    """
    if is_device(path):
        with _open(path) as file:
            yield file
        return
    target = Path(path).resolve()
    with (
        staged(target.parent) as staging,
        _open(staging.path / target.name) as file,
    ):
        yield file


class _Named(io.FileIO):
    """A file whose errors have its name, as those of `open` have."""

    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.name)) from error


def _open(path):
    return io.TextIOWrapper(io.BufferedWriter(_Named(path, "w")), encoding="utf-8")
