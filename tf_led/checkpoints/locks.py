"""Locks on folders, by which a living save is told from one that was cut off."""

import contextlib
import os

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
        What `unlock` takes; None if there is no lock to be had.
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
