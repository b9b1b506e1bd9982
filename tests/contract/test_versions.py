"""The ranges in setup.cfg are those of the sets of versions that are tested."""

import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.contract.pages import ROOT, read
from tests.versions import __main__ as main
from tests.versions import new, older_reference, sets, without_torch


@pytest.fixture(scope="module")
def ranges():
    """The requirements of setup.cfg by package."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = parser["options"]["install_requires"].split("\n")
    found = (Requirement(line) for line in lines if line.strip())
    return {requirement.name: requirement.specifier for requirement in found}


@pytest.mark.parametrize("name", sets.NAMES)
def test_setup_allows_every_set(name, ranges):
    python, pins = sets.read_set(name)
    assert {"tensorflow", "keras", "transformers", "numpy"} <= pins.keys()
    assert f"Python :: {python}" in read("setup.cfg")
    of_the_package = pins.keys() & ranges.keys()  # the others serve the tests
    for package in of_the_package:
        assert pins[package] in ranges[package], package


@pytest.mark.parametrize("package", ["tensorflow", "keras", "transformers", "numpy"])
def test_the_range_begins_with_the_oldest_set_and_ends_after_the_newest(
    package, ranges
):
    limits = {limit.operator: Version(limit.version) for limit in ranges[package]}
    oldest, newest = (
        Version(sets.read_set(name)[1][package]) for name in sets.NAMES[::2]
    )
    assert limits[">="].release[:2] == oldest.release[:2]
    limit = limits.get("<")
    assert limit is None or limit.release in {
        (newest.major, newest.minor + 1),
        (newest.major + 1,),
    }


def test_the_page_tells_the_versions_of_every_set():
    rows = re.findall(
        r"^\| (oldest|Colab's|newest) \|( 3\.\d+ \|.*)$", read("docs/versions.md"), re.M
    )
    assert len(rows) == len(sets.NAMES)
    for (_, row), name in zip(rows, sets.NAMES, strict=True):
        python, pins = sets.read_set(name)
        cells = [cell.strip() for cell in row.split("|")]
        packages = ("tensorflow", "keras", "transformers", "numpy")
        assert cells[:5] == [python, *(pins[package] for package in packages)]


def test_a_newer_minor_version_is_told_and_a_patch_is_not():
    pins = {"keras": "3.15.1", "numpy": "2.5.5", "tensorflow": "2.21.0"}
    released = {"keras": "3.16.0", "numpy": "2.5.9", "tensorflow": "2.21.0"}
    assert new.newer(pins, released.get) == {"keras": ("3.15.1", "3.16.0")}


def test_what_stands_on_the_libraries_is_run_on_every_set():
    assert {"ops", "models", "training", "tokenization"} <= {*main.parts()}
    assert {folder.name for folder in (ROOT / "tests").iterdir()} >= main.LEFT_OUT


def test_tests_that_an_older_reference_fails_are_there():
    sources = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")
    )
    for name in set().union(*older_reference.CHANGED.values()):
        assert f"def {name}(" in sources, name


def test_files_that_need_torch_are_known_by_what_they_import():
    tests = ROOT / "tests"
    assert without_torch.needs_torch(tests / "parity/test_forward.py")  # by its oracle
    assert without_torch.needs_torch(tests / "ops/test_losses.py")
    assert not without_torch.needs_torch(tests / "ops/test_masks.py")


def test_a_set_that_there_is_not_is_named():
    with pytest.raises(FileNotFoundError, match="next.txt"):
        sets.read_set("next")
