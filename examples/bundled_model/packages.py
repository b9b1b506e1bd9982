"""Which Python source is read, and which packages are learnt from and which measured.

A package is on one side whole. A copy of somebody else's package within another one
would carry measured source over to the other side: such folders are left out.
"""

import sysconfig
from pathlib import Path

# What the final report is measured on: no choice of the recipe has looked at them.
TEST = """
networkx huggingface_hub datasets fsspec jinja2 joblib httpx httpx2 argparse
calendar cmd code configparser copy difflib fractions glob graphlib gzip heapq
imaplib mailbox optparse plistlib queue random sched shelve shutil smtplib
statistics tarfile textwrap wave zipfile
"""
# What the recipe was chosen by, and what `tf-led train` measures its epochs on.
VALIDATION = """
absl werkzeug anyio _pytest packaging click typer asyncio bisect csv email ftplib
getopt json logging pprint string zipapp
"""
COPIES = {"_vendor", "vendor", "_vendored", "third_party", "externals", "_distutils"}
# Generated files, tests and their data have docstrings that nobody wrote for readers.
UNREAD = {"test", "tests", "testing", "_testing", "idlelib", "lib2to3", "site-packages"}
UNREAD |= {"_generated", "turtledemo", "tf_led", "_api", "__pycache__"}


def folders():
    """The folders whose packages are read: standard library and installed ones.

    Returns:
        List of Path without repetition.
    """
    paths = sysconfig.get_paths()
    found = [Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib")]
    return list(dict.fromkeys([*found, Path(paths["platlib"])]))


def files_of(folder):
    """Finds the Python files of every top-level package and module in a folder.

    Args:
        folder: Path.

    Yields:
        (str, Path): the top-level name and a file of it, in one order everywhere.
    """
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        parts = {*inside.parts[:-1], inside.stem}
        is_test = any(part.startswith("test_") for part in parts)
        if not is_test and not parts & (COPIES | UNREAD):
            yield inside.parts[0].removesuffix(".py"), path


def part_of(package):
    """The part of the data that a package is in.

    Args:
        package: str, the top-level name.

    Returns:
        "test", "validation" or "train".

    Example:
        >>> from examples.bundled_model.packages import part_of
        >>> part_of("networkx"), part_of("keras")
        ('test', 'train')
    """
    if package in TEST.split():
        return "test"
    return "validation" if package in VALIDATION.split() else "train"
