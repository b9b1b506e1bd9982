"""Numbered folders, each of which appears whole or not at all."""

import contextlib
import os
from pathlib import Path

from tf_led.checkpoints.disk.atomic import hidden_folder, sync_file, sync_folder


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
        >>> from tf_led.checkpoints.disk.versions import new_version
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
