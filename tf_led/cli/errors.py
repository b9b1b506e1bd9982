"""A user's mistake: one line on stderr and exit code 2, never a traceback."""

import contextlib


class UsageError(Exception):
    """What the user gave cannot be used; the message is one line that says why.

    Args:
        message: names what is wrong, what it was and what to do.

    Example:
        >>> from tf_led.cli.errors import UsageError
        >>> str(UsageError("notes.txt: no such file"))
        'notes.txt: no such file'
    """


@contextlib.contextmanager
def blamed_on(subject):
    r"""Turns the library's refusals of bad input into a `UsageError` about `subject`.

    Args:
        subject: str, what the user named: an option with its value, or a file.

    Raises:
        UsageError: in place of ValueError, OSError or NotImplementedError, on one line.

    Example:
        >>> from tf_led.cli.errors import blamed_on
        >>> with blamed_on("--model elsewhere"):
        ...     raise ValueError("no weights in\n  elsewhere")
        Traceback (most recent call last):
        tf_led.cli.errors.UsageError: --model elsewhere: no weights in elsewhere
    """
    try:
        yield
    except (ValueError, OSError, NotImplementedError) as error:
        raise UsageError(f"{subject}: {' '.join(str(error).split())}") from error
