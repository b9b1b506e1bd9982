"""From files, datasets and iterables to examples, each with the place it came from."""

import codecs
import dataclasses
import json
import os
import warnings
from collections.abc import Mapping
from typing import NamedTuple


class BadRecord(ValueError):
    """A record that cannot be used; the message is the reason, without the place.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.records import BadRecord
        >>> str(BadRecord("'document' is empty"))
        "'document' is empty"
    """


def read_lines(path):
    r"""Yields the records of a JSONL file in UTF-8; blank lines are skipped.

    Args:
        path: str or Path.

    Yields:
        Line number, int from 1, and a function that parses the line: it returns what
        the JSON says or raises BadRecord.

    Raises:
        OSError: if the file cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tf_led.data.records import read_lines
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


# More of them would bury the first, which say what is wrong.
SHOWN = 10


class DataWarning(UserWarning):
    """A bad record was left out; the message names file, line and reason.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.records import DataWarning
        >>> str(DataWarning("train.jsonl:3: 'document' is empty; left out"))
        "train.jsonl:3: 'document' is empty; left out"
    """


class DataError(ValueError):
    """Data that cannot be used; the message names file, line and reason.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.records import DataError
        >>> raise DataError("train.jsonl:3: the key 'summary' is missing")
        Traceback (most recent call last):
        tf_led.data.records.DataError: train.jsonl:3: the key 'summary' is missing
    """


@dataclasses.dataclass
class DataReport:
    """Counts what reading and encoding met.

    Args:
        name: str, what messages call the data, such as the file's path.
        strict: bool, whether the first bad record is an error.
        examples: int, kept.
        bad: int, left out.
        cut_documents: int, longer than `max_source_length`.
        cut_summaries: int, longer than `max_target_length`.
        cut_tokens: int, tokens of documents that were left out by cutting.
        first_bad: str, place and reason of the first bad record.

    Example:
        >>> from tf_led.data.records import DataReport
        >>> print(DataReport("train.jsonl", examples=5, cut_documents=2, cut_tokens=13))
        train.jsonl: 5 examples; 2 documents cut, 13 tokens of them left out
    """

    name: str
    strict: bool = False
    examples: int = 0
    bad: int = 0
    cut_documents: int = 0
    cut_summaries: int = 0
    cut_tokens: int = 0
    first_bad: str = dataclasses.field(default="", compare=False, repr=False)

    def leave_out(self, place: str, reason: str) -> None:
        """Counts a bad record and warns of it.

        Args:
            place: str, such as "train.jsonl:3".
            reason: str.

        Raises:
            DataError: if the report is strict.

        Example:
            >>> from tf_led.data import DataReport
            >>> report = DataReport("train.jsonl", strict=True)
            >>> report.leave_out("train.jsonl:3", "'document' is empty")
            Traceback (most recent call last):
            tf_led.data.records.DataError: train.jsonl:3: 'document' is empty
        """
        if self.strict:
            raise DataError(f"{place}: {reason}")
        self.bad += 1
        self.first_bad = self.first_bad or f"{place}: {reason}"
        if self.bad <= SHOWN:
            warn(f"{place}: {reason}; left out")
        elif self.bad == SHOWN + 1:
            warn(f"{self.name}: more bad records are left out without a line each")

    def check(self) -> None:
        """Raises DataError if no example is left.

        Raises:
            DataError: if there is no example.

        Example:
            >>> from tf_led.data import DataReport
            >>> DataReport("train.jsonl").check()
            Traceback (most recent call last):
            tf_led.data.records.DataError: train.jsonl: no example ...
        """
        if not self.examples:
            why = ": it is empty"
            if self.bad:
                why = f", {self.bad:,} bad records"
                why += f", the first {self.first_bad}" if self.first_bad else ""
            raise DataError(f"{self.name}: no example that can be used{why}")

    def as_dict(self) -> dict[str, int]:
        """Gives the counts.

        Returns:
            Dict of int: `examples`, `bad`, `cut_documents`, `cut_summaries` and
                `cut_tokens`.

        Example:
            >>> from tf_led.data import DataReport
            >>> DataReport("train.jsonl", examples=5).as_dict()["examples"]
            5
        """
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if type(value) is int}

    def __str__(self):
        parts = [f"{self.examples:,} examples"]
        if self.bad:
            parts.append(f"{self.bad:,} bad records left out")
        if self.cut_documents:
            parts.append(
                f"{self.cut_documents:,} documents cut, {self.cut_tokens:,} tokens of "
                "them left out"
            )
        if self.cut_summaries:
            parts.append(f"{self.cut_summaries:,} summaries cut")
        return f"{self.name}: {'; '.join(parts)}"


def warn(message):
    """Warns of data that was left out.

    Args:
        message: str.
    """
    warnings.warn(message, DataWarning, stacklevel=3)


class Example(NamedTuple):
    """A document with what is to be written about it.

    Args:
        document: str.
        summary: str, or None where only documents are wanted.
        question: str, or None.
        place: str, how messages call it, such as "train.jsonl:3".

    Example:
        >>> from tf_led.data.records import Example
        >>> Example("A long story.", "A story.", None, "train.jsonl:3").summary
        'A story.'
    """

    document: str
    summary: str | None
    question: str | None
    place: str


class Keys(NamedTuple):
    """Where in a record the texts are.

    Args:
        document: str, key of the document, a str, or a list of them to be joined.
        summary: str, or None: no summaries are wanted.
        question: str, or None: there are no questions.
        separator: str put between several documents, or None: there is one.

    Example:
        >>> from tf_led.data.records import Keys
        >>> Keys(document="article").summary
        'summary'
    """

    document: str = "document"
    summary: str | None = "summary"
    question: str | None = None
    separator: str | None = None


def name_of(source):
    """How messages call a source of examples.

    Args:
        source: path or iterable.

    Returns:
        str.
    """
    return os.fspath(source) if is_path(source) else "examples"


def is_path(source):
    """Whether a source is a file's name.

    Args:
        source: anything.

    Returns:
        bool.
    """
    return isinstance(source, (str, os.PathLike))


def read_examples(source, report, keys=None):
    r"""Yields every example that can be used; the report gets the others.

    Args:
        source: path of a JSONL file, or an iterable of records: dicts, as a Hugging
            Face dataset has them, or (document, summary) pairs.
        report: DataReport.
        keys: Keys; None for the usual ones.

    Yields:
        Example.

    Raises:
        DataError: on the first bad record, if the report is strict.
        OSError: if the file cannot be read.
        TypeError: if `source` is neither a path nor an iterable.

    Example:
        >>> from tf_led.data.records import read_examples
        >>> from tf_led.data.records import DataReport
        >>> pairs = [("A long story.", "A story.")]
        >>> [example.place for example in read_examples(pairs, DataReport("pairs"))]
        ['pairs, item 1']
    """
    keys = keys or Keys()
    for place, read in _records(source, report.name):
        try:
            yield _example(read(), keys, place)
        except BadRecord as reason:
            report.leave_out(place, reason)


def _records(source, name):
    """Yields (place, function that gives the record)."""
    if is_path(source):
        for number, read in read_lines(source):
            yield f"{name}:{number}", read
        return
    if isinstance(source, Mapping) or not hasattr(source, "__iter__"):
        held = f" of {', '.join(map(repr, source))}" if hasattr(source, "keys") else ""
        raise TypeError(
            "The examples must be a JSONL file's path, a dataset (one of its splits), "
            f"or an iterable of dicts or pairs, got {type(source).__name__}{held:.60}."
        )
    for number, item in enumerate(source, 1):
        yield f"{name}, item {number}", lambda item=item: item


def _example(record, keys, place):
    record = _as_mapping(record, keys)
    document = record.get(keys.document)
    if keys.separator is not None and isinstance(document, (list, tuple)):
        parts = [_text({keys.document: part}, keys.document) for part in document]
        record = {**record, keys.document: keys.separator.join(parts)}
    texts = [
        None if key is None else _text(record, key)
        for key in (keys.document, keys.summary, keys.question)
    ]
    return Example(*texts, place)


def _as_mapping(record, keys):
    if isinstance(record, Mapping):
        return record
    if isinstance(record, (list, tuple)) and len(record) == 2:
        return dict(zip((keys.document, keys.summary), record, strict=True))
    raise BadRecord(
        f"a record must be an object or a (document, summary) pair, got {record!r:.40}"
    )


def _text(record, key):
    if key not in record:
        held = ", ".join(map(repr, list(record)[:8])) or "none"
        raise BadRecord(f"the key {key!r} is missing; it has {held}")
    text = record[key]
    if not isinstance(text, str):
        raise BadRecord(f"{key!r} must be text, got {text!r:.40}")
    if not text.strip():
        raise BadRecord(f"{key!r} is empty")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRecord(
            f"{key!r} has a lone surrogate, {text[error.start]!r}, at {error.start}"
        ) from None
    return text
