"""The folder of a run: its arguments, its state, its result."""

import contextlib
import errno
import json
import os
from pathlib import Path

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.errors import CheckpointError

try:
    import fcntl
except ImportError:  # Windows: two runs on one folder are then not told apart
    fcntl = None

ARGUMENTS, RESULT, LOCK = "arguments.json", "result.json", "lock"
INSIDE = "training"


class RunFolder:
    """Where a run keeps what it needs to go on: `training/` in its output folder.

    Args:
        output: str or Path of the output folder.

    Example:
        >>> from tf_led.training.run_folder import RunFolder
        >>> run = RunFolder("out")
        >>> run.begin({"epochs": 3}), run.differences({"epochs": 5}), run.result()
        (None, {'epochs': (3, 5)}, None)
    """

    def __init__(self, output):
        self.output = Path(output)
        self.path = self.output / INSIDE

    def begin(self, arguments):
        """Writes down the arguments, once.

        Args:
            arguments: dict that JSON can say.
        """
        if not (self.path / ARGUMENTS).exists():
            self._write(ARGUMENTS, arguments)

    def differences(self, arguments):
        """Compares with the arguments that the run began with.

        Args:
            arguments: dict that JSON can say.

        Returns:
            Dict from name to (then, now); empty if there is no run yet.

        Raises:
            CheckpointError: if what was written down is damaged.
        """
        then = self._read(ARGUMENTS)
        if then is None:
            return {}
        return {
            name: (then.get(name), arguments.get(name))
            for name in {**then, **arguments}
            if then.get(name) != arguments.get(name)
        }

    def end(self, result):
        """Writes down the result: the run is complete.

        Args:
            result: dict that JSON can say.
        """
        self._write(RESULT, result)

    def result(self):
        """Returns the result of a complete run; None if it is not."""
        return self._read(RESULT)

    @contextlib.contextmanager
    def owned(self):
        """Keeps a second run out of the folder for the length of the block.

        Raises:
            BlockingIOError: if another run is at work in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = None
        if fcntl is not None:  # a file of its own: saving locks the folder
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT)
        try:
            if descriptor is not None:
                _lock(descriptor, self.output)
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)  # which ends the lock too

    def _read(self, name):
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise CheckpointError(f"{path} is damaged: no JSON object.")
        return content

    def _write(self, name, content):
        with staged(self.path) as staging:
            text = json.dumps(content, indent=2) + "\n"
            (staging.path / name).write_text(text, encoding="utf-8")


def _lock(descriptor, output):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise BlockingIOError(
                error.errno, "another run is at work in it", str(output)
            ) from None
        # A file system without locks: then nobody is kept out.
