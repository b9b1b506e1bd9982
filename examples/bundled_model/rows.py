"""Texts with their summaries in files of JSON lines."""

import json
from pathlib import Path


def write_rows(path, rows):
    """Writes one row a line.

    Args:
        path: path; its folder is made where it does not exist.
        rows: list of dict.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def read_rows(path):
    """Reads what `write_rows` wrote.

    Args:
        path: path.

    Returns:
        List of dict.
    """
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
