"""Whether two paths lead to one place."""

import contextlib
import os


def same_place(one, other):
    """Whether two paths name one file or folder, by whatever links.

    Args:
        one: str or Path; it need not exist.
        other: str or Path; it need not exist.

    Returns:
        bool; True for hard links of one file, too.

    Example:
        >>> import os
        >>> from tf_led.checkpoints.disk.paths import same_place
        >>> same_place("checkpoint", os.path.abspath("checkpoint/../checkpoint"))
        True
    """
    with contextlib.suppress(OSError, ValueError):
        if os.path.samefile(one, other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)
