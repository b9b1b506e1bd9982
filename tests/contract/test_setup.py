"""What setup.cfg, the CHANGELOG and the Makefile promise to each other."""

import configparser
import importlib
import re
from pathlib import Path

import pytest

import tf_led

ROOT = Path(__file__).parents[2]


@pytest.fixture
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_console_script_is_declared_and_callable(setup_cfg):
    script = setup_cfg["options.entry_points"]["console_scripts"].strip()
    name, target = script.split(" = ")
    module, function = target.split(":")
    assert name == "tf-led"
    assert callable(getattr(importlib.import_module(module), function))


def test_version_is_the_top_entry_of_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[([^\]]+)\]", changelog, re.M)[1] == tf_led.__version__


def test_every_folder_with_code_is_a_package():
    """`packages = find:` leaves a folder without `__init__.py` out of the wheel."""
    folders = {file.parent for file in (ROOT / "tf_led").rglob("*.py")}
    assert len(folders) > 5
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_bundled_model_is_in_the_package(setup_cfg):
    """Files that are no Python are left out of the wheel unless they are named."""
    patterns = setup_cfg["options.package_data"]["tf_led"].split()
    files = {f.name for one in patterns for f in (ROOT / "tf_led").glob(one)}
    needed = {"config.json", "model.safetensors", "tokenizer.json", "py.typed"}
    assert needed <= files


def test_the_test_extra_pins_its_oracle(setup_cfg):
    assert "torch ==2.13.0" in setup_cfg["options.extras_require"]["test"]
    assert "torch" not in setup_cfg["options"]["install_requires"]


def test_ci_runs_make_test_and_stops_at_the_first_failure():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in script
    assert script[-1] == "make test"
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_licence_is_the_one_declared(setup_cfg):
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert setup_cfg["metadata"]["license_expression"] == "Apache-2.0"
    assert "Apache License" in text and "Version 2.0, January 2004" in text


def test_large_tests_run_only_when_asked_for(pytestconfig):
    assert pytestconfig.getoption("markexpr") in {
        "not large and not notebook and not slow",
        "not large and not notebook",
        "slow",
        "large",
        "notebook",
    }
