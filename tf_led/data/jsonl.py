"""Lines of JSON, one record each; a line that is none says why."""

import codecs
import json


class BadRecord(ValueError):
    """A record that cannot be used; the message is the reason, without the place.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.jsonl import BadRecord
        >>> str(BadRecord("'document' is empty"))
        "'document' is empty"
    """


def read_lines(path):
    r"""Yields the records of a JSONL file in UTF-8; blank lines are none.

    Args:
        path: str or Path.

    Yields:
        Line number, int from 1, and a function that parses the line: it returns what
        the JSON says or raises BadRecord.

    Raises:
        OSError: if the file cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tf_led.data.jsonl import read_lines
        >>> _ = Path("two.jsonl").write_text('{"document": "A"}\n\n{"document": "B"}\n')
        >>> [(number, parse()) for number, parse in read_lines("two.jsonl")]
        [(1, {'document': 'A'}), (3, {'document': 'B'})]
    """
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.strip():
                yield number, lambda line=line: parse(line)


def parse(line):
    """Reads one line.

    Args:
        line: bytes.

    Returns:
        What the JSON says.

    Raises:
        BadRecord: if it is not UTF-8 or not JSON.
    """
    try:
        return json.loads(line.rstrip().decode("utf-8"))
    except UnicodeDecodeError as error:
        byte = f"byte 0x{line[error.start]:02x} at offset {error.start}"
        raise BadRecord(f"not in UTF-8: {byte} of the line; convert it first") from None
    except json.JSONDecodeError as error:
        if b"\0" in line:  # letters in UTF-16 are UTF-8 too, with zeros between them
            raise BadRecord("not in UTF-8: zero bytes in it; convert it") from None
        raise BadRecord(f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError) as error:  # a number or a nesting too large
        raise BadRecord(f"not JSON that can be read: {error}") from None
