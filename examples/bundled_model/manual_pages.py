"""Manual pages: the NAME line is the summary, the rest of the page the document.

They are those of some hundreds of Debian packages, and those that are installed here.
`mandoc`, fetched in the same way, turns them into text.
"""

import re
import shutil
import subprocess
from pathlib import Path

from examples.bundled_model.debian_packages import apt_options

# Few source packages have many pages, so that the first of the three lists in this file
# gives most pages, and the second, of small packages, most ways to write them. Those in
# the third are measured, and were installed on the machine that the model is from.
PACKAGES = Path(__file__).with_name("page_packages.txt").read_text("ascii").split()
RENDERER = "mandoc"
WIDTH = 1000  # columns: a paragraph is a line
INSTALLED = "/var/lib/dpkg/info"
PAGE = re.compile(r"/man/man\w+/([^/]+)\.\w+\.gz$")
OVERSTRUCK = re.compile(r".\x08")
RULE = re.compile(r"\s*[_\u2500=-]{10,}\s*$")
NAME_SECTION = re.compile(r"^NAME\n((?:[ \t]+\S.*\n)+)", re.MULTILINE)
# mandoc writes an en dash for the macro of mdoc, and pages of man have what they have.
NAME_LINE = re.compile(r"^(.+?)\s+(?:-{1,2}|[\u2013\u2014\u2212\u2010])\s+(.+)$")


def fetch(folder):
    """Downloads and unpacks the packages and the renderer.

    Args:
        folder: Path, where `debian_packages.update_lists` has put the lists.

    Returns:
        Dict from a package's name to the Path of the folder it is unpacked in.
    """
    names, options = [*PACKAGES, RENDERER], apt_options(folder)
    archives, files = folder.resolve() / "archives", folder.resolve() / "unpacked"
    for old in (archives, files):  # of a fetch that was cut off, or of another day
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir()
    command = ["apt-get", "-q", "download", *options, *names]
    subprocess.run(command, cwd=archives, check=True)
    for name in names:
        (archive,) = archives.glob(f"{name}_*.deb")
        command = ["dpkg-deb", "--extract", archive, files / name]
        subprocess.run(command, check=True)
    return {name: files / name for name in names}


def installed_pages(info=INSTALLED):
    """Finds the manual pages of the packages that are installed here.

    Args:
        info: path of the folder with the packages' lists of files.

    Yields:
        (str, Path): the package and a page of it.
    """
    for listing in sorted(Path(info).glob("*.list")):
        package = listing.name.removesuffix(".list").split(":")[0]
        for line in listing.read_text(encoding="utf-8").splitlines():
            if PAGE.search(line) and "/share/man/man" in line:
                yield package, Path(line)


def unpacked_pages(unpacked):
    """Finds the manual pages of unpacked packages.

    Args:
        unpacked: dict from package to Path.

    Yields:
        (str, Path): the package and a page of it.
    """
    for package, folder in unpacked.items():
        for path in sorted(folder.glob("usr/share/man/man*/*.gz")):
            yield package, path


def read_pages(pages, sources, renderer):
    """Renders pages and takes their NAME lines out.

    Args:
        pages: iterable of (str, Path).
        sources: dict from package to source package; pages of others are left out.
        renderer: Path of mandoc.

    Returns:
        List of dict with `document`, `summary`, `name` and `source`.
    """
    rows, read = [], set()
    for package, path in pages:
        is_there = path.is_file() and not path.is_symlink()
        if package not in sources or not is_there or path.name in read:
            continue
        read.add(path.name)
        if parsed := parse_page(rendered(path, renderer)):
            document, summary = parsed
            name = PAGE.search(str(path))[1]
            row = {"document": document, "summary": summary, "name": name}
            rows.append({**row, "source": sources[package]})
    return rows


def rendered(path, renderer):
    """A page as text, a paragraph on a line."""
    source = subprocess.run(["zcat", path], capture_output=True).stdout
    command = [renderer, "-Tutf8", f"-Owidth={WIDTH}", "-Ios=Debian"]
    found = subprocess.run(command, input=source, capture_output=True)
    return OVERSTRUCK.sub("", found.stdout.decode("utf-8", "replace"))


def parse_page(text):
    r"""Separates the NAME line from the rest.

    Args:
        text: str, a page as text.

    Returns:
        (str, str): the page without its NAME section, header and footer, its lines
        without the blanks they begin with; and what the page says it is. None where
        there is no such line or nothing else.

    Example:
        >>> from examples.bundled_model.manual_pages import parse_page
        >>> page = "A(1)  A(1)\n\nNAME\n  a - do it\n\nDESCRIPTION\n  Does it.\n\nend"
        >>> parse_page(page)
        ('DESCRIPTION\nDoes it.', 'do it')
    """
    section = NAME_SECTION.search(text)
    line = section and NAME_LINE.match(" ".join(section[1].split()))
    lines = text[section.end() :].rstrip().split("\n")[:-1] if section else []
    kept = [line.strip() for line in lines if not RULE.match(line)]
    document = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return (document, line[2].strip()) if line and document else None
