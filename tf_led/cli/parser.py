"""How every sub-command reads its arguments."""

import argparse
import contextlib
import errno
import math
import os
import re
import shutil
import sys
import tempfile

from tf_led.utils.keras_backend import check_keras_backend


class UsageError(Exception):
    """What the user gave cannot be used; the message is one line that says why.

    Args:
        message: names what is wrong, what it was and what to do.

    Example:
        >>> from tf_led.cli.parser import UsageError
        >>> str(UsageError("notes.txt: no such file"))
        'notes.txt: no such file'
    """


# Of disks that are full or broken: exit code 1, and not the user's mistake.
SYSTEM_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE}


@contextlib.contextmanager
def blamed_on(subject):
    r"""Turns the library's errors about bad input into a `UsageError` about `subject`.

    Args:
        subject: str, what the user named: an option with its value, or a file.

    Raises:
        UsageError: in place of ValueError, OSError or NotImplementedError, on one line.
        OSError: where it is not the user but the system that fails: a full disk.

    Example:
        >>> from tf_led.cli.parser import blamed_on
        >>> with blamed_on("--model elsewhere"):
        ...     raise ValueError("no weights in\n  elsewhere")
        Traceback (most recent call last):
        tf_led.cli.parser.UsageError: --model elsewhere: no weights in elsewhere
    """
    try:
        yield
    except (ValueError, OSError, NotImplementedError) as error:
        message = f"{subject}: {' '.join(str(error).split())}"
        if getattr(error, "errno", None) in SYSTEM_FAILURES:
            failure = OSError(message)
            failure.errno = error.errno
            raise failure from error
        raise UsageError(message) from error


def check_backend():
    """Checks that Keras is to run on TensorFlow.

    Raises:
        UsageError: if it is set to run on another backend.

    Example:
        >>> from tf_led.cli.parser import check_backend
        >>> check_backend()
    """
    try:
        check_keras_backend()
    except ImportError as error:
        raise UsageError(str(error)) from error


def load_tensorflow():
    """Imports TensorFlow; stderr stays ours unless the import fails.

    TF_CPP_MIN_LOG_LEVEL does not reach what its C++ libraries say as they load (oneDNN
    is on, there is no GPU), so the file descriptor itself is turned away meanwhile.

    Raises:
        UsageError: if Keras is set to run on another backend.
        ImportError: where TensorFlow cannot be loaded, after what it had to say.

    Example:
        >>> from tf_led.cli.parser import load_tensorflow
        >>> load_tensorflow()
    """
    check_backend()
    try:
        with hidden_stderr():
            import tensorflow  # noqa: F401
    except Exception as error:  # Ctrl-C inside an extension's start comes as another
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


@contextlib.contextmanager
def hidden_stderr():
    """Keeps what file descriptor 2 gets; shows it if an exception ends the block."""
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # closed by who started us: nothing to hide
        yield
        return
    with os.fdopen(stderr, "wb") as shown, tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except Exception:  # not for Ctrl-C
            hidden.seek(0)
            shutil.copyfileobj(hidden, shown)
            shown.flush()
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)


class Parser(argparse.ArgumentParser):
    """An argument parser whose error is one line, in the form of all our errors.

    Args:
        **options: those of `argparse.ArgumentParser`.

    Example:
        >>> from tf_led.cli.parser import Parser
        >>> Parser(prog="tf-led toast").parse_args(["--burnt"])
        Traceback (most recent call last):
        tf_led.cli.parser.UsageError: unrecognized arguments: --burnt (see tf-led ...
    """

    def __init__(self, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message):
        raise UsageError(f"{message} (see {self.prog} --help)")


def plain_text(text):
    """Reads text that a tokenizer can take.

    Args:
        text: str, as typed; bytes that are no UTF-8 come as surrogates.

    Returns:
        str, the same.

    Raises:
        argparse.ArgumentTypeError: if it is no UTF-8.

    Example:
        >>> from tf_led.cli.parser import plain_text
        >>> plain_text("summarize: ")
        'summarize: '
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"is no UTF-8, got {text!r:.80}") from None
    return text


def positive_int(text):
    """Reads a whole number of at least 1.

    Args:
        text: str, as typed.

    Returns:
        int.

    Raises:
        argparse.ArgumentTypeError: for anything else, naming it.

    Example:
        >>> from tf_led.cli.parser import positive_int
        >>> positive_int("4")
        4
    """
    # Not int(text) alone, which also takes "1_000" and " 4 ".
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 1, got {text!r}"
        )
    return int(text)


def non_negative_int(text):
    """Reads a whole number of at least 0.

    Args:
        text: str, as typed.

    Returns:
        int.

    Raises:
        argparse.ArgumentTypeError: for anything else, naming it.

    Example:
        >>> from tf_led.cli.parser import non_negative_int
        >>> non_negative_int("0")
        0
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 0, got {text!r}"
        )
    return int(text)


def number_between(low, high):
    """Makes a reader of decimal numbers within bounds.

    Args:
        low: float, the least that is allowed.
        high: float, what is too much.

    Returns:
        Callable from str to float, for argparse.

    Example:
        >>> from tf_led.cli.parser import number_between
        >>> number_between(0, 1)("0.1")
        0.1
    """

    def read(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value < high:
            raise argparse.ArgumentTypeError(
                f"must be a number of at least {low} and below {high}, got {text!r}"
            )
        return value

    return read


def add_bfloat16_products(parser):
    """Declares `--bfloat16-products`, which sub-commands that compute take.

    Args:
        parser: argparse.ArgumentParser, or a group of one, to add to.

    Example:
        >>> from tf_led.cli.parser import Parser, add_bfloat16_products
        >>> parser = Parser(prog="tf-led toast")
        >>> add_bfloat16_products(parser)
        >>> parser.parse_args([]).bfloat16_products
        False
    """
    parser.add_argument(
        "--bfloat16-products",
        action="store_true",
        help="let matrix products of float32 numbers round their factors to bfloat16: "
        "faster on processors with AMX, without effect on others",
    )


def attention_implementation(text):
    """Reads how the encoder's attention is to be computed; TensorFlow checks it later.

    Args:
        text: str, as typed.

    Returns:
        str, the same.

    Raises:
        argparse.ArgumentTypeError: for anything but the form of such a name.

    Example:
        >>> from tf_led.cli.parser import attention_implementation
        >>> attention_implementation("grouped:2GB")
        'grouped:2GB'
    """
    if not re.fullmatch(r"[a-z_]+(:[1-9]\d*(MB|GB))?", text):
        raise argparse.ArgumentTypeError(
            f"must be auto, loop, grouped or, as an example, grouped:2GB, got {text!r}"
        )
    return text


def add_attention_implementation(parser):
    """Declares `--attention-implementation`, for sub-commands that load a model.

    Args:
        parser: argparse.ArgumentParser, or a group of one, to add to.

    Example:
        >>> from tf_led.cli.parser import Parser, add_attention_implementation
        >>> parser = Parser(prog="tf-led toast")
        >>> add_attention_implementation(parser)
        >>> parser.parse_args([]).attention_implementation
        'auto'
    """
    parser.add_argument(
        "--attention-implementation",
        type=attention_implementation,
        default="auto",
        metavar="NAME",
        help="loop: block after block, for a CPU; grouped: many blocks at a time, in "
        "1 GB, for a GPU or TPU; grouped:4GB: in 4 GB; default auto, by the device",
    )
