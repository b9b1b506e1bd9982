"""Ids kept on disk, found again by what they were made of."""

import hashlib
import json
from pathlib import Path

import numpy as np

from tf_led.checkpoints.disk.atomic import staged
from tf_led.data.records import is_path, warn


class TokenRows:
    """Rows of ids, one after the other.

    Args:
        ids: int32[total], the rows joined.
        ends: int64[rows], where each row ends.

    Example:
        >>> import numpy as np
        >>> from tf_led.data.cache import TokenRows
        >>> rows = TokenRows(np.array([0, 5, 2, 0, 2]), np.array([3, 5]))
        >>> len(rows), rows[1].tolist(), rows.lengths.tolist()
        (2, [0, 2], [3, 2])
    """

    def __init__(self, ids, ends):
        self.ids = ids
        self.ends = np.asarray(ends, "int64")
        self.lengths = np.diff(self.ends, prepend=0)

    def __len__(self):
        """The number of rows."""
        return len(self.ends)

    def __getitem__(self, index):
        """Row `index`, int32[length]."""
        end = self.ends[index]
        return self.ids[end - self.lengths[index] : end]


class RowWriter:
    """Writes rows to a binary file as they come.

    Args:
        file: open for writing bytes.

    Example:
        >>> import io
        >>> from tf_led.data.cache import RowWriter
        >>> writer = RowWriter(io.BytesIO())
        >>> writer.add([0, 5, 2])
        >>> writer.ends
        [3]
    """

    def __init__(self, file):
        self.file = file
        self.ends = []

    def add(self, ids):
        """Appends a row.

        Args:
            ids: int[length].
        """
        self.file.write(np.asarray(ids, "int32").tobytes())
        self.ends.append((self.ends[-1] if self.ends else 0) + len(ids))


VERSION = 2
FILES = ("sources.bin", "targets.bin")
ENDS = ("source_ends.npy", "target_ends.npy")
REPORT = "report.json"  # moved in place last: where it is, the rest was whole


def cached(cache_dir, source, tokenizer, options, write, report):
    """Reads rows from the cache, or writes them there and reads them back.

    Args:
        cache_dir: str or Path of the folder that holds all caches.
        source: path or iterable, as for `read_examples`.
        tokenizer: LEDTokenizerFast.
        options: list of whatever else the rows depend on, as JSON can say it.
        write: called with two files, open for writing, if there is no such cache;
            returns where the rows of each end.
        report: DataReport that `write` fills; filled from the cache otherwise.

    Returns:
        (sources, targets, report); the rows are read from disk as they are used.

    Raises:
        ValueError: if the source can be read once only.
        OSError: if the folder cannot be written.
    """
    folder = Path(cache_dir) / fingerprint(source, tokenizer, options)
    found = _read(folder)
    if found is None:
        _write(folder, write, report)
        found = _read(folder)
    rows, counts = found
    if counts["bad"] and not report.bad:
        warn(
            f"{report.name}: {counts['bad']:,} bad records were left out when "
            f"{folder} was written"
        )
    for name, count in counts.items():
        setattr(report, name, count)
    return (*rows, report)


def fingerprint(source, tokenizer, options):
    """A name that changes with anything that the rows depend on.

    Args:
        source: path, dataset, or an iterable that can be read again.
        tokenizer: LEDTokenizerFast.
        options: list.

    Returns:
        str of 32 hexadecimal digits.

    Raises:
        ValueError: if the source can be read once only.
    """
    # How the last call cut and padded is no part of a tokenizer.
    rules = json.loads(tokenizer.backend_tokenizer.to_str())
    rules = {**rules, "truncation": None, "padding": None}
    parts = [VERSION, rules, tokenizer.truncation_side, options, digest(source)]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(source):
    """Sums up what a source holds.

    Args:
        source: path, dataset, or an iterable that can be read again.

    Returns:
        str.

    Raises:
        ValueError: if the source can be read once only.
    """
    if is_path(source):
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if hasattr(source, "_fingerprint"):  # datasets.Dataset sums itself up
        return source._fingerprint
    if iter(source) is source:
        raise ValueError(
            "`cache_dir` is given, but the examples can be read once only "
            f"({type(source).__name__}): give a list or a file, or no cache_dir."
        )
    summed = hashlib.sha256()
    for record in source:
        summed.update(repr(record).encode("utf-8", "surrogatepass") + b"\0")
    return summed.hexdigest()


def _write(folder, write, report):
    with staged(folder) as staging:
        made = staging.path
        with (
            open(made / FILES[0], "wb") as sources,
            open(made / FILES[1], "wb") as rest,
        ):
            all_ends = write(sources, rest)
        for name, ends in zip(ENDS, all_ends, strict=True):
            np.save(made / name, np.asarray(ends, "int64"))
        counts = report.as_dict()
        report = {"counts": counts, "sha256": _checksum(made, counts)}
        (made / REPORT).write_text(json.dumps(report), encoding="utf-8")
        staging.move_last(REPORT)


def _read(folder):
    """Rows and counts of a cache; None if there is none, or one that is damaged."""
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        counts = report["counts"]
        if report["sha256"] != _checksum(folder, counts):
            return None
        rows = [
            TokenRows(_mapped(folder / file), np.load(folder / ends))
            for file, ends in zip(FILES, ENDS, strict=True)
        ]
    except (OSError, ValueError, EOFError, KeyError, TypeError, RecursionError):
        return None
    return rows, counts


def _checksum(folder, counts):
    """SHA-256 of the counts and of the files."""
    digest = hashlib.sha256(json.dumps(counts, sort_keys=True).encode())
    for name in (*FILES, *ENDS):
        with open(folder / name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _mapped(path):
    if path.stat().st_size == 0:  # no summaries are wanted: nothing to map
        return np.zeros(0, "int32")
    return np.memmap(path, "int32", mode="r")
