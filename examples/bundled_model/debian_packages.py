"""Debian's package descriptions: a text of some sentences and its synopsis of a line.

The lists are those that `apt-get update` fetches from where this machine gets its
packages, in English; they are kept in a folder of their own, so that the machine's own
lists stay as they are.
"""

import re
import subprocess
from pathlib import Path

# Where Debian machines of today and of before say where packages come from.
SOURCE_LISTS = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
LIST_NAMES = ("*_Packages", "*_Translation-en")


def apt_options(folder, source_lists=SOURCE_LISTS):
    """Options that keep apt's files in a folder.

    Args:
        folder: Path, made where it does not exist.
        source_lists: tuple of str, the first that exists is used.

    Returns:
        List of str.

    Raises:
        FileNotFoundError: if none of `source_lists` exists.
    """
    found = [path for path in source_lists if Path(path).is_file()]
    if not found:
        raise FileNotFoundError(f"{source_lists}: none exists; is this Debian?")
    folder = folder.resolve()
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    values = {
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": found[0],
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "en",
        "Acquire::GzipIndexes": "false",
        "APT::Sandbox::User": "root",
    }
    return [f"-o{name}={value}" for name, value in values.items()]


def update_lists(folder):
    """Fetches the lists of packages and of their descriptions into a folder.

    Args:
        folder: Path.

    Returns:
        List of Path, the lists.
    """
    subprocess.run(["apt-get", "-q", "update", *apt_options(folder)], check=True)
    return [path for name in LIST_NAMES for path in (folder / "lists").glob(name)]


def records(path):
    """Reads a file of control records.

    Args:
        path: Path.

    Yields:
        Dict from field to str; lines that go on keep their one blank at the start.
    """
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields = re.findall(r"^([^\s:]+): *(.*(?:\n .*)*)", block, re.MULTILINE)
        if fields:
            yield dict(fields)


def described_packages(paths):
    """Pairs texts with their synopses.

    Args:
        paths: list of Path, `Packages` and `Translation-en` lists.

    Returns:
        List of dict with `document`, `summary`, `name` and `source` of every package,
        in the order of names.
    """
    texts, sources = {}, {}
    for path in sorted(paths):
        for record in records(path):
            name = record["Package"]
            if "Description-en" in record:
                texts.setdefault(name, record["Description-en"])
            else:
                sources[name] = record.get("Source", name).split()[0]
    rows = []
    for name in sorted(texts.keys() & sources.keys()):
        summary, _, lines = texts[name].partition("\n")
        if document := as_paragraphs(lines):
            row = {"document": document, "summary": " ".join(summary.split())}
            rows.append({**row, "name": name, "source": sources[name]})
    return rows


def as_paragraphs(lines):
    r"""Undoes the format of a description.

    Args:
        lines: str, every line behind a blank; a second blank keeps a line as it is, and
            a point stands for an empty line.

    Returns:
        str, paragraphs with an empty line between.

    Example:
        >>> from examples.bundled_model.debian_packages import as_paragraphs
        >>> as_paragraphs(" One text\n on.\n .\n Two:\n  * this\n  * that")
        'One text on.\n\nTwo:\n* this\n* that'
    """
    paragraphs = [[]]
    for line in lines.split("\n"):
        text = line.strip()
        if text in ("", "."):
            paragraphs.append([])
        elif line.startswith("  ") or text[:2] in ("* ", "- ") or not paragraphs[-1]:
            paragraphs[-1].append(text)
        else:
            paragraphs[-1][-1] += " " + text
    return "\n\n".join("\n".join(one) for one in paragraphs if one)
