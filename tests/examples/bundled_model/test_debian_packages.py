import pytest

from examples.bundled_model.debian_packages import (
    apt_options,
    as_paragraphs,
    described_packages,
)

PACKAGES = """\
Package: zeta
Source: alpha (1.2-3)
Description: not the one that is read

Package: beta
Version: 5

Package: bare
"""
TRANSLATION = """\
Package: zeta
Description-md5: 00
Description-en: tool that cuts   ropes
 It cuts ropes
 of any length.
 .
 Further: this.

Package: beta
Description-en: other tool
 It does: more
 of it.

Package: bare
Description-en: a line without a text

Package: elsewhere
Description-en: of no list
 A text.
"""


@pytest.fixture
def lists(tmp_path):
    found = {"x_Packages": PACKAGES, "x_Translation-en": TRANSLATION}
    for name, text in found.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [tmp_path / name for name in found]


def test_text_and_synopsis_of_every_package(lists):
    assert described_packages(lists) == [
        {
            "document": "It does: more of it.",
            "summary": "other tool",
            "name": "beta",
            "source": "beta",
        },
        {
            "document": "It cuts ropes of any length.\n\nFurther: this.",
            "summary": "tool that cuts ropes",
            "name": "zeta",
            "source": "alpha",
        },
    ]


@pytest.mark.parametrize(
    "lines, text",
    [
        (" one\n two", "one two"),
        (" one\n .\n two", "one\n\ntwo"),
        (" list:\n  - first\n  - second\n on", "list:\n- first\n- second on"),
        (" * first\n * second", "* first\n* second"),
        ("", ""),
    ],
)
def test_paragraphs(lines, text):
    assert as_paragraphs(lines) == text


def test_apt_keeps_its_files_in_the_folder(tmp_path):
    source = tmp_path / "debian.sources"
    source.write_text("")
    options = apt_options(tmp_path / "apt", (str(tmp_path / "none"), str(source)))
    assert f"-oDir::Etc::SourceList={source}" in options
    assert f"-oDir::State::Lists={tmp_path / 'apt' / 'lists'}" in options
    assert "-oAcquire::Languages=en" in options
    assert (tmp_path / "apt/lists/partial").is_dir()


def test_a_machine_that_is_not_debian_is_told_so(tmp_path):
    missing = str(tmp_path / "missing.sources")
    with pytest.raises(FileNotFoundError, match="missing.sources.*Debian"):
        apt_options(tmp_path, (missing,))
