"""Rows of tokens of different lengths, in one block of memory or in a file."""

import numpy as np


class TokenRows:
    """Rows of ids, one after the other.

    Args:
        ids: int32[total], the rows joined.
        ends: int64[rows], where each row ends.

    Example:
        >>> import numpy as np
        >>> from tf_led.data.token_rows import TokenRows
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
        >>> from tf_led.data.token_rows import RowWriter
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
