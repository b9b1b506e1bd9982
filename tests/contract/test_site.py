"""`make docs`: the pages are built without a warning, and no link in them is dead."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.contract.pages import DOCS, ROOT
from tests.contract.public_surface import listed_names
from tf_led.cli.main import COMMANDS


class Page(HTMLParser):
    """The anchors of a page, and what it leads to: links, pictures, styles."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.targets = {""}, set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        self.targets |= {attrs[name] for name in ("href", "src") if attrs.get(name)}


def dead_links(folder):
    """Yields what does not lead to a file and, within a page, to a place in it."""
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        for target in sorted(page.targets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue  # outside: the network is not asked
            place = (path.parent / unquote(parts.path)).resolve()
            place = place if parts.path else path
            known = pages[place].anchors if place in pages else {parts.fragment}
            if not place.is_file() or unquote(parts.fragment) not in known:
                yield f"{path.relative_to(folder.resolve())} -> {target}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [*command, "-d", folder / "doctrees", ROOT / "docs", folder / "html"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.mark.slow
def test_no_link_is_dead(site):
    assert list(dead_links(site)) == []


def test_every_page_is_built_and_in_the_menu(site):
    menu = Page(site / "index.html").targets
    for page in [*DOCS, "docs/contributing.md", "docs/changelog.md"]:
        built = Path(page).relative_to("docs").with_suffix(".html")
        assert (site / built).is_file()
        assert built.as_posix() in menu


def test_the_reference_shows_every_object_and_command(site):
    pages = {path: Page(path) for path in (site / "api").glob("*.html")}
    anchors = set().union(*(page.anchors for page in pages.values()))
    assert set(listed_names()) <= anchors
    text = (site / "api/command_line.html").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"usage: tf-led {command}" in re.sub(r"<[^>]+>", "", text)


def test_a_dead_link_is_found(tmp_path):
    links = '<a href="b.html#there">1</a><a href="b.html#not">2</a><img src="no.png">'
    (tmp_path / "a.html").write_text(links)
    (tmp_path / "b.html").write_text('<p id="there"></p><a href="https://x.y/">3</a>')
    assert list(dead_links(tmp_path)) == ["a.html -> b.html#not", "a.html -> no.png"]
