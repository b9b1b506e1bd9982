import subprocess

import pytest

from examples.bundled_model import manual_pages
from examples.bundled_model.manual_pages import (
    installed_pages,
    parse_page,
    read_pages,
    unpacked_pages,
)

PAGE = """\
CUT(1)                      User Commands                      CUT(1)

NAME
       {name}

SYNOPSIS
       cut [ROPE]...

______________________________________

DESCRIPTION
       Cut a rope.  There is
              more.



Debian                      March 2023                         CUT(1)
"""
REST = "SYNOPSIS\ncut [ROPE]...\n\nDESCRIPTION\nCut a rope.  There is\nmore."


@pytest.mark.parametrize(
    "name, summary",
    [
        ("cut - shorten ropes", "shorten ropes"),
        ("cut \u2013 shorten ropes", "shorten ropes"),
        ("cut, cut-all -- shorten - or not", "shorten - or not"),
        ("rope-cut -\n       shorten\n       ropes", "shorten ropes"),
    ],
)
def test_the_name_line_is_the_summary(name, summary):
    assert parse_page(PAGE.format(name=name)) == (REST, summary)


@pytest.mark.parametrize(
    "text",
    [
        PAGE.format(name="only-a-name"),
        PAGE.replace("NAME", "TITLE"),
        "NAME\n   cut - shorten\n\nfooter\n",
        "",
    ],
)
def test_a_page_without_such_a_line_or_text_is_left_out(text):
    assert parse_page(text) is None


@pytest.fixture
def pages(tmp_path, monkeypatch):
    monkeypatch.setattr(manual_pages, "rendered", lambda path, _: path.read_text())
    folder = tmp_path / "usr/share/man/man1"
    folder.mkdir(parents=True)
    for name in ("cut.1.gz", "knot.1.gz"):
        (folder / name).write_text(PAGE.format(name=f"{name} - shorten {name[:3]}"))
    (folder / "link.1.gz").symlink_to(folder / "cut.1.gz")
    return tmp_path


def test_pages_are_read_once_and_links_not(pages):
    found = [*unpacked_pages({"ropes": pages})] * 2
    rows = read_pages(found, {"ropes": "source"}, None)
    assert [(row["name"], row["summary"]) for row in rows] == [
        ("cut", "shorten cut"),
        ("knot", "shorten kno"),
    ]
    assert {row["source"] for row in rows} == {"source"}


def test_pages_of_packages_that_no_list_has_are_left_out(pages):
    assert read_pages(unpacked_pages({"ropes": pages}), {"other": "a"}, None) == []


def test_installed_pages_are_found_by_the_lists_of_files(tmp_path):
    lines = [
        "/usr/share/man/man1/cut.1.gz",
        "/usr/share/man/de/man1/cut.1.gz",
        "/bin/a",
    ]
    (tmp_path / "ropes:amd64.list").write_text("\n".join(lines))
    found = [(package, str(path)) for package, path in installed_pages(tmp_path)]
    assert found == [("ropes", lines[0])]


def test_nothing_is_left_of_an_earlier_fetch(tmp_path, monkeypatch):
    unpacked = []

    def run(command, cwd=None, **_):
        if command[0] == "apt-get":
            for name in command[-2:]:
                (cwd / f"{name}_2_all.deb").touch()
        else:
            unpacked.append(command[2].name)

    for part in ("archives", "unpacked"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "rope_1_all.deb").touch()
    monkeypatch.setattr(manual_pages, "PACKAGES", ["rope"])
    monkeypatch.setattr(manual_pages, "apt_options", lambda _: [])
    monkeypatch.setattr(subprocess, "run", run)
    assert list(manual_pages.fetch(tmp_path)) == ["rope", "mandoc"]
    assert unpacked == ["rope_2_all.deb", "mandoc_2_all.deb"]
    assert not list((tmp_path / "unpacked").iterdir())


def test_no_package_is_named_twice():
    assert len(set(manual_pages.PACKAGES)) == len(manual_pages.PACKAGES) > 600
