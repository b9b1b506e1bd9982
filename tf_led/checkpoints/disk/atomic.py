"""Saving a folder's files so that a save cut off at any moment leaves the old ones.

New files are written to a hidden folder inside the target, forced to disk, and only
then moved in place, one rename each. Whoever needs several files to change together
gives the order: what makes the others valid (an index, a single weight file) is last.
`new_version` does it for a folder: numbered, whole or not there.
"""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: leftovers of a cut-off save are then not cleaned up
    fcntl = None


@contextlib.contextmanager
def locked(folder):
    """Lets one process at a time into the block, where the file system can.

    Args:
        folder: Path.
    """
    held = lock(folder, wait=True)
    try:
        yield
    finally:
        unlock(held)


def lock(folder, *, wait):
    """Locks a folder; the lock ends with `unlock` or with the process.

    Args:
        folder: Path.
        wait: bool. False gives up where another process has the lock.

    Returns:
        What `unlock` takes; None if the lock is held, or cannot be made here.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # taken, or a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def unlock(held):
    """Ends a lock.

    Args:
        held: what `lock` gave; None is fine.
    """
    if held is not None:
        os.close(held)  # which ends the lock too


MAX_NAME = 255  # bytes, of most file systems
PREFIX = ".saving-"
# Of hidden folders for files on their way; tokenizers once saved through the second.
LEFTOVERS = (PREFIX, ".tokenizer-")
# In such a folder, once its files are being moved: JSON of their names and of their
# numbers on the disk, by which those that a killed save has moved are known.
MOVING = ".moving"


class Staging:
    """A save in progress.

    Args:
        target: Path of the folder that is saved to.
        path: Path of the hidden folder that the new files are written to.
        moved: set of what `moved_before` gave.
    """

    def __init__(self, target, path, moved=frozenset()):
        self.target = target
        self.path = path
        self._moved = moved
        self._last = []
        self._obsolete = []

    def move_last(self, *names):
        """Has files moved after all others.

        Args:
            *names: str, in the order in which to move them.
        """
        self._last += names

    def remove_after(self, *names):
        """Has files of the target deleted once all new ones are in place.

        Args:
            *names: str; one that is not there is fine.
        """
        self._obsolete += names

    def commit(self):
        """Moves the new files in place, then deletes the obsolete ones."""
        new = [p.relative_to(self.path) for p in self.path.rglob("*") if p.is_file()]
        new = [name for name in new if name != Path(MOVING)]
        for name in new:
            if (self.target / name).is_dir():  # noticed before the first is moved
                raise IsADirectoryError(
                    errno.EISDIR,
                    "a directory is where a file goes",
                    str(self.target / name),
                )
        rank = {Path(name): place for place, name in enumerate(self._last, start=1)}
        for name in new:
            sync_file(self.path / name)
        moving = {str(name): os.stat(self.path / name).st_ino for name in new}
        _note_moving(self.path, self._moved | moving.items())
        for name in sorted(new, key=lambda name: (rank.get(name, 0), name)):
            (self.target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.path / name, self.target / name)
        sync_folder(self.target)
        for name in self._obsolete:
            if Path(name) not in new:
                (self.target / name).unlink(missing_ok=True)
        sync_folder(self.target)


@contextlib.contextmanager
def staged(directory):
    """Opens a save: files written inside the block appear together at its end.

    Args:
        directory: str or Path of the folder to save to; made if need be.

    Yields:
        `Staging`; write the files into its `path`. If the block raises, or the process
        dies, the folder's files are what they were.

    Raises:
        NotADirectoryError: if `directory` is a file.

    Example:
        >>> from tf_led.checkpoints.disk.atomic import staged
        >>> with staged("checkpoint") as staging:
        ...     _ = (staging.path / "config.json").write_text("{}")
        >>> import os
        >>> os.listdir("checkpoint")
        ['config.json']
    """
    moved = moved_before(Path(directory))  # the notes are about to be removed
    with hidden_folder(directory) as (target, path):
        _note_moving(path, moved)
        staging = Staging(target, path, moved)
        yield staging
        with locked(target):
            staging.commit()


@contextlib.contextmanager
def hidden_folder(directory):
    """Makes a hidden folder inside another, for files on their way into it.

    Args:
        directory: str or Path; made if need be, and removed if nothing is left in it.

    Yields:
        (Path of `directory`, Path of the hidden folder), which is deleted at the end of
        the block; or, if the process is killed, by the next one that calls this.

    Raises:
        NotADirectoryError: if `directory` is a file.
    """
    target = Path(directory)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"Cannot save to `{target}`: it is a file.")
    is_new = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    with locked(target):
        remove_abandoned(target)
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target))
        alive = lock(path, wait=True)
    try:
        yield target, path
    except OSError as error:
        # A full disk does not say which one; an error of words alone would lose them.
        if error.errno is not None and error.filename is None:
            error.filename = str(target)
        raise
    finally:
        shutil.rmtree(path, ignore_errors=True)
        unlock(alive)
        if is_new:
            with contextlib.suppress(OSError):
                target.rmdir()  # only if nothing came of it


def own_entries(folder):
    """Lists what a folder holds, without what savers that were killed have left.

    Args:
        folder: Path.

    Returns:
        list of Path.
    """
    moved = moved_before(folder)
    return [
        path
        for path in folder.iterdir()
        if not path.name.startswith(LEFTOVERS)
        and (path.name, path.lstat().st_ino) not in moved
    ]


def moved_before(folder):
    """Finds what saves moved into a folder before they were killed on the way.

    Args:
        folder: Path.

    Returns:
        set of (str, int), the files' names and numbers on the disk.
    """
    moved = set()
    for note in folder.glob(f"{PREFIX}*/{MOVING}"):
        # Gone in the meantime, or damaged: its files are then taken for the user's.
        with contextlib.suppress(OSError, ValueError):
            moved |= {(name, number) for name, number in json.loads(note.read_text())}
    return moved


def _note_moving(path, moved):
    """Notes in a hidden folder what is moved out of it, or was out of others."""
    if moved:
        (path / MOVING).write_text(json.dumps(sorted(moved)))


def remove_abandoned(target):
    """Deletes what saves that were cut off have left; a living save holds its lock."""
    for path in target.glob(f"{PREFIX}*"):
        abandoned = None
        with contextlib.suppress(FileNotFoundError):  # done in the meantime
            abandoned = lock(path, wait=False)
        if abandoned is not None:
            shutil.rmtree(path, ignore_errors=True)
            unlock(abandoned)


@contextlib.contextmanager
def errors_of_disk(path):
    """Has a library in C or C++ fail as Python does where a file cannot be written.

    Args:
        path: Path of the file.

    Raises:
        OSError: naming it; in place of what the library raises.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = getattr(error, "errno", None)
        if number is None:
            reason = " ".join(str(error).split())
            raise OSError(f"Cannot write `{path}`: {reason:.200}") from error
        raise OSError(number, os.strerror(number), str(path)) from error


def sync_file(path):
    """Forces a file's bytes to the disk, before its new name can get there."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path):
    """Forces a folder's names to the disk, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def same_place(one, other):
    """Whether two paths name one file or folder, by whatever links.

    Args:
        one: str or Path; it need not exist.
        other: str or Path; it need not exist.

    Returns:
        bool; True for hard links of one file, too.

    Example:
        >>> import os
        >>> from tf_led.checkpoints.disk.atomic import same_place
        >>> same_place("checkpoint", os.path.abspath("checkpoint/../checkpoint"))
        True
    """
    with contextlib.suppress(OSError, ValueError):
        if os.path.samefile(one, other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)


def leads_into(source, folder):
    """Whether what is written into a folder may replace what another one holds.

    Args:
        source: str or Path of a folder that is read; it need not exist.
        folder: str or Path of a folder that is written to; it need not exist.

    Returns:
        bool: whether they are one, or `source` has links to files in `folder`.

    Example:
        >>> from tf_led.checkpoints.disk.atomic import leads_into
        >>> leads_into("checkpoint", "checkpoint/inside")
        False
    """
    if same_place(source, folder):
        return True
    if not os.path.isdir(source):
        return False
    inside = os.path.realpath(folder)
    with os.scandir(source) as entries:
        links = [entry.path for entry in entries if entry.is_symlink()]
    return any(os.path.dirname(os.path.realpath(link)) == inside for link in links)


class Version:
    """A numbered folder in the making.

    Args:
        path: Path of the hidden folder to write to.

    Attributes:
        path: Path; after the block, that of the numbered folder.
    """

    def __init__(self, path):
        self.path = path


@contextlib.contextmanager
def new_version(directory):
    """Opens a folder that gets the next free number when the block ends.

    A number is one more than the greatest there is. Several processes may do this in
    one directory at a time.

    Args:
        directory: str or Path; made if need be.

    Yields:
        Version; write into its `path`. If the block raises, or the process dies, no
        numbered folder appears.

    Raises:
        NotADirectoryError: if `directory` is a file.

    Example:
        >>> from tf_led.checkpoints.disk.atomic import new_version
        >>> for text in ("old", "new"):
        ...     with new_version("served") as version:
        ...         _ = (version.path / "model.txt").write_text(text)
        >>> str(version.path)
        'served/2'
    """
    with hidden_folder(directory) as (target, path):
        version = Version(path)
        yield version
        version.path = _publish(path, target)


def _publish(path, target):
    path.chmod(0o755)  # a temporary folder is its owner's alone
    for folder, _, files in os.walk(path):
        for name in files:
            sync_file(Path(folder) / name)
        sync_folder(folder)
    while True:
        numbered = target / str(_greatest(target) + 1)
        try:
            # Fails where somebody else was quicker: their folder is not empty.
            os.rename(path, numbered)
        except OSError:
            if not numbered.exists():
                raise
        else:
            sync_folder(target)
            return numbered


def _greatest(target):
    numbers = [
        int(p.name) for p in target.iterdir() if p.name.isascii() and p.name.isdecimal()
    ]
    return max(numbers, default=0)
