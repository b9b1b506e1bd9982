"""From files, datasets and iterables to examples, each with the place it came from."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from tf_led.data.jsonl import BadRecord, read_lines


class Example(NamedTuple):
    """A document with what is to be written about it.

    Args:
        document: str.
        summary: str, or None where only documents are wanted.
        question: str, or None.
        place: str, how messages call it, such as "train.jsonl:3".

    Example:
        >>> from tf_led.data.examples import Example
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
        >>> from tf_led.data.examples import Keys
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
        >>> from tf_led.data.examples import read_examples
        >>> from tf_led.data.report import DataReport
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
