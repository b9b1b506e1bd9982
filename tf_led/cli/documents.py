"""Reading the text files that the user names; what is not text is an error."""

import os
import sys
from typing import NamedTuple

from tf_led.cli.parser import UsageError


class Document(NamedTuple):
    """A text and the name that messages call it by.

    Args:
        name: str, as the user gave it; "standard input" for `-`.
        text: str, as the file has it: no newline translated, no mark removed.

    Example:
        >>> from tf_led.cli.documents import Document
        >>> Document("notes.txt", "All is well.").name
        'notes.txt'
    """

    name: str
    text: str


def read_documents(files):
    r"""Reads every file before anything slow begins.

    Args:
        files: list of str, paths; `-` is standard input.

    Returns:
        List of Document, in the same order.

    Raises:
        UsageError: for a file that is missing, unreadable, a directory, empty or not
            UTF-8 text, and for a second `-`.

    Example:
        >>> from pathlib import Path
        >>> from tf_led.cli.documents import read_documents
        >>> _ = Path("notes.txt").write_bytes(b"All is well.\r\n")
        >>> read_documents(["notes.txt"])
        [Document(name='notes.txt', text='All is well.\r\n')]
    """
    if files.count("-") > 1:
        raise UsageError("standard input (-) can be read once only")
    return [read_document(file) for file in files]


def read_document(file):
    name = "standard input" if file == "-" else file
    text = decode(name, read_bytes(file))
    if not text.strip():
        what = "empty" if not text else "white space only"
        raise UsageError(f"{name}: {what}, there is nothing to summarise")
    return Document(name, text)


def read_bytes(file):
    if file == "-":
        if sys.stdin is None:
            raise UsageError("standard input: closed")
        return sys.stdin.buffer.read()
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except FileNotFoundError:
        raise UsageError(f"{file}: no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{file}: a directory, not a text file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = os.strerror(error.errno) if isinstance(error, OSError) else error
        raise UsageError(f"{file}: cannot be read: {reason}") from None


def decode(name, content):
    """Decodes UTF-8; a NUL is valid UTF-8, but no text has one and UTF-16 has many."""
    remedy = "not a text file in UTF-8; convert it first"
    if (at := content.find(b"\0")) >= 0:
        raise UsageError(f"{name}: NUL byte at offset {at}: {remedy}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        raise UsageError(f"{name}: {byte}: {remedy}") from None
