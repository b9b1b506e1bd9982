"""What became of the data that was read: kept, cut, left out and why."""

import dataclasses
import warnings

# More of them would bury the first, which say what is wrong.
SHOWN = 10


class DataWarning(UserWarning):
    """A bad record was left out; the message names file, line and reason.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.report import DataWarning
        >>> str(DataWarning("train.jsonl:3: 'document' is empty; left out"))
        "train.jsonl:3: 'document' is empty; left out"
    """


class DataError(ValueError):
    """Data that cannot be used; the message names file, line and reason.

    Args:
        message: str.

    Example:
        >>> from tf_led.data.report import DataError
        >>> raise DataError("train.jsonl:3: the key 'summary' is missing")
        Traceback (most recent call last):
        tf_led.data.report.DataError: train.jsonl:3: the key 'summary' is missing
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

    Example:
        >>> from tf_led.data.report import DataReport
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

    def leave_out(self, place, reason):
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
            tf_led.data.report.DataError: train.jsonl:3: 'document' is empty
        """
        if self.strict:
            raise DataError(f"{place}: {reason}")
        self.bad += 1
        if self.bad <= SHOWN:
            warn(f"{place}: {reason}; left out")
        elif self.bad == SHOWN + 1:
            warn(f"{self.name}: more bad records are left out without a line each")

    def check(self):
        """Refuses data of which nothing is left.

        Raises:
            DataError: if there is no example.

        Example:
            >>> from tf_led.data import DataReport
            >>> DataReport("train.jsonl").check()
            Traceback (most recent call last):
            tf_led.data.report.DataError: train.jsonl: no example ...
        """
        if not self.examples:
            raise DataError(
                f"{self.name}: no example that can be used"
                + (f", {self.bad:,} bad records" if self.bad else ": it is empty")
            )

    def as_dict(self):
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
