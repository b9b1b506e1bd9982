"""Reads the texts that the bundled model is made of, before they are split.

`python -m examples.bundled_model.texts DEBIAN FOLDER` fetches what it needs of Debian
into the first folder, and writes `package.jsonl`, `page.jsonl` and `docstring.jsonl`
into the second.
"""

import sys
from pathlib import Path

from examples.bundled_model import debian_packages, manual_pages
from examples.bundled_model.docstrings import read_docstrings
from examples.bundled_model.rows import write_rows

KINDS = ("package", "page")
LEARNT_ONLY = "docstring"


def read_debian(folder):
    """Reads both kinds of text.

    Args:
        folder: Path, for what is fetched.

    Returns:
        Dict from kind to list of dict with `document`, `summary`, `name` and `source`.
    """
    lists = debian_packages.update_lists(folder)
    packages = debian_packages.described_packages(lists)
    sources = {row["name"]: row["source"] for row in packages}
    unpacked = manual_pages.fetch(folder)
    renderer = unpacked[manual_pages.RENDERER] / "usr/bin/mandoc"
    pages = [*manual_pages.unpacked_pages(unpacked), *manual_pages.installed_pages()]
    read = manual_pages.read_pages(pages, sources, renderer)
    return {"package": packages, "page": read}


if __name__ == "__main__":
    texts = read_debian(Path(sys.argv[1])) | {LEARNT_ONLY: read_docstrings()}
    for kind, rows in texts.items():
        write_rows(Path(sys.argv[2]) / f"{kind}.jsonl", rows)
        print(f"{kind}: {len(rows):,}")
