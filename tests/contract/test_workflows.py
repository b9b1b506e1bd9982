"""The workflows: pinned actions, few rights, and steps that this repository has."""

import re

import pytest
import yaml

from tests.contract.pages import ROOT, read
from tests.versions import sets

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs_of(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def steps_of(path):
    return [step for job in jobs_of(path).values() for step in job["steps"]]


def test_what_is_checked_is_lint_tests_versions_docs_notebooks_and_wheel():
    jobs = jobs_of(ROOT / ".github/workflows/checks.yml")
    assert [*jobs] == ["lint", "tests", "versions", "docs", "notebooks", "wheel"]


@each
def test_actions_are_pinned_by_hash_with_their_version_beside_it(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    pinned = re.findall(
        r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", text, re.M
    )
    assert used and len(used) == len(pinned)


@each
def test_rights_are_to_read_and_time_has_an_end(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())


@each
def test_make_targets_of_the_steps_are_in_the_makefile(path):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    runs = "\n".join(step.get("run", "") for step in steps_of(path))
    assert set(re.findall(r"^make ([a-z-]+)", runs, re.M)) <= targets


def test_the_matrix_is_the_sets_of_versions_with_their_pythons():
    matrix = jobs_of(ROOT / ".github/workflows/checks.yml")["versions"]["strategy"]
    pairs = {entry["set"]: entry["python"] for entry in matrix["matrix"]["include"]}
    assert pairs == {name: sets.read_set(name)[0] for name in sets.NAMES}


def test_only_the_upload_may_prove_who_it_is_and_it_has_no_password():
    path = ROOT / ".github/workflows/release.yml"
    jobs = jobs_of(path)
    allowed = {name: job.get("permissions") for name, job in jobs.items()}
    assert allowed == {"build": None, "publish": {"id-token": "write"}}
    assert "secrets." not in path.read_text(encoding="utf-8")
    assert jobs["publish"]["needs"] == "build"
