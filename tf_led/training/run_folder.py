"""The folder of a run: its arguments, its state, its result."""

import contextlib
import errno
import hashlib
import json
import os
from pathlib import Path

from tf_led.checkpoints.disk.atomic import locked, remove_abandoned, staged
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.formats.registry import readable
from tf_led.checkpoints.json_files import (
    GENERATION_CONFIG,
    TOKENIZER_CONFIG,
    TOKENIZER_FILES,
)

try:
    import fcntl
except ImportError:  # Windows: two runs on one folder are then not told apart
    fcntl = None

ARGUMENTS, RESULT, LOCK = "arguments.json", "result.json", "lock"
CHECKPOINT = "checkpoint.json"
INSIDE = "training"
# Ends of the names of what a checkpoint consists of.
CHECKPOINT_SUFFIXES = (
    *(".json", ".txt", ".model", ".jinja"),
    *(row.ending for row in readable()),
)
# Those beside the weights.
OTHER_FILES = ("config.json", GENERATION_CONFIG, TOKENIZER_CONFIG, *TOKENIZER_FILES)
CHECKSUM = "sha256"  # of all else that a file says


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

    def files_of_others(self):
        """Lists the checkpoint's files in the output folder that no run has written.

        Returns:
            List of str, names of files that a run would replace or remove.
        """
        # Unlike pathlib's, these take names of any length.
        if os.path.exists(self.path / ARGUMENTS) or not os.path.isdir(self.output):
            return []
        return sorted(p.name for p in self.output.iterdir() if _is_replaced(p.name))

    def check_names(self):
        """Checks that no directory has the name of a file that a run writes.

        Raises:
            IsADirectoryError: naming it.
        """
        for path in self.output.iterdir() if os.path.isdir(self.output) else ():
            if _is_replaced(path.name) and path.is_dir():
                raise IsADirectoryError(
                    f"{path} is a directory where training writes a file; move it"
                )

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

    def remove_leftovers(self):
        """Deletes what a save left that was killed when all was done."""
        for folder in (self.output, self.path):
            with locked(folder):
                remove_abandoned(folder)

    @contextlib.contextmanager
    def checkpoint_noted(self):
        """Notes what the checkpoint is that the block writes into the output folder.

        A run that keeps its best checkpoint may never write it again.
        """
        self._write(CHECKPOINT, {"files": None})  # until it is whole
        yield
        self.note_checkpoint()

    def note_checkpoint(self):
        """Notes what the checkpoint in the output folder is."""
        self._write(CHECKPOINT, {"files": self._checkpoint_checksums()})

    def check_checkpoint(self):
        """Checks the checkpoint that was noted last.

        Raises:
            CheckpointError: if one of its files is damaged or missing.
        """
        noted = (self._read(CHECKPOINT) or {}).get("files")
        if noted is None:  # none yet, or cut off: what follows writes it again
            return
        found = self._checkpoint_checksums()
        for name, checksum in noted.items():
            if found.get(name) != checksum:
                raise self._damaged(self.output / name, "its checksum does not fit")

    def _checkpoint_checksums(self):
        checksums = {}
        for path in sorted(self.output.iterdir()):
            if path.suffix in CHECKPOINT_SUFFIXES and path.is_file():
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256")
                checksums[path.name] = digest.hexdigest()
        return checksums

    @contextlib.contextmanager
    def owned(self):
        """Keeps a second run out of the folder for the length of the block.

        A block that writes nothing into it leaves no folder behind.

        Raises:
            BlockingIOError: if another run is at work in it.
        """
        new = [f for f in (self.path, *self.path.parents) if not f.exists()]
        try:
            descriptor = self._open_lock()
        except BlockingIOError:
            raise
        except OSError:
            self._remove_unused(new)
            raise
        try:
            yield
        finally:
            self._remove_unused(new)
            if descriptor is not None:
                os.close(descriptor)  # which ends the lock too

    def _open_lock(self):
        """Makes the folder and locks it; returns a file descriptor, None on Windows."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            if fcntl is None:
                return None
            # A file of its own: saving locks the folder.
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT)
            try:
                _lock(descriptor, self.output)
            except OSError:
                os.close(descriptor)
                raise
            if _is_open(self.path / LOCK, descriptor):
                return descriptor
            os.close(descriptor)  # a run that ended meanwhile has removed it

    def _remove_unused(self, new):
        """Removes the lock and empty folders of a run that has not begun.

        Ids that were read meanwhile stay, for the next one.

        Args:
            new: list of Path, folders that were not there before, the innermost first.
        """
        if any(p.is_file() and p.name != LOCK for p in self.path.glob("*")):
            return
        (self.path / LOCK).unlink(missing_ok=True)
        found = sorted((p for p in self.path.rglob("*") if p.is_dir()), reverse=True)
        for folder in (*found, self.path, *new):
            with contextlib.suppress(OSError):  # what is not empty stays
                folder.rmdir()

    def _read(self, name):
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise self._damaged(path, "no JSON object")
        # What version 0.1 wrote has no checksum; one of another name is damaged.
        checksum, last = content.pop(CHECKSUM, None), next(reversed(content), None)
        rest = {key: value for key, value in content.items() if key != last}
        if checksum is None and content.get(last) == _checksum(rest):
            raise self._damaged(path, f"it has {last!r} in place of {CHECKSUM!r}")
        if checksum not in (None, _checksum(content)):
            raise self._damaged(path, "its checksum does not fit")
        return content

    def _damaged(self, path, reason):
        return CheckpointError(
            f"{path} is damaged: {reason}. Put an undamaged copy in its place, or "
            f"delete {self.path} and give --force to begin anew."
        )

    def _write(self, name, content):
        with staged(self.path) as staging:
            content = {**content, CHECKSUM: _checksum(content)}
            text = json.dumps(content, indent=2) + "\n"
            (staging.path / name).write_text(text, encoding="utf-8")


def _is_replaced(name):
    """Whether saving a checkpoint replaces or removes a file of this name."""
    return name in OTHER_FILES or any(
        name in (row.file, row.index) or row.is_shard(name) for row in readable()
    )


def _checksum(content):
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_open(path, descriptor):
    """Whether a path leads to the file that a descriptor has open."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor, output):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise BlockingIOError(
                error.errno, "another run is at work in it", str(output)
            ) from None
        # A file system without locks: then nobody is kept out.
