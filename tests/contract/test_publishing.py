"""What is uploaded: what wheel and source distribution hold, and how they read."""

import email
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
import yaml

import tf_led
from tests.contract.pages import ROOT, blocks, read

SETUP = runpy.run_path(str(ROOT / "setup.py"))
ADDRESS, TAG = "https://code.example/me/tf_led", "v1.2"
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "demo", "*.egg-info", "__pycache__", ".*_cache"
)


def python(*words, cwd, **environment):
    """Runs Python without this checkout on its path, and returns what it prints."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "copy", ignore=NOT_SOURCE)
    build("sdist", folder / "copy", folder / "dist")
    (archive,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    build("wheel", source, folder / "dist")
    return folder / "dist"


def build(kind, source, place):
    """Builds a file as pip and build do, with the setuptools that is here."""
    code = f"from setuptools import build_meta as b; b.build_{kind}({str(place)!r})"
    python("-c", code, cwd=source, TF_LED_REPOSITORY=ADDRESS)


@pytest.fixture(scope="module")
def wheel(built):
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith("/METADATA"))
        return email.message_from_bytes(file.read(name))


def test_the_index_would_take_both_files(built):
    files = sorted(built.iterdir())
    assert len(files) == 2
    printed = python("-m", "twine", "check", "--strict", *files, cwd=built)
    assert printed.count("PASSED") == 2


def test_the_wheel_holds_the_package_alone(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    inside = {name.split("/")[0] for name in names}
    assert inside == {"tf_led", f"tf_led-{tf_led.__version__}.dist-info"}
    assert "tf_led/assets/bundled/model.safetensors" in names


def test_the_source_distribution_holds_tests_docs_and_what_they_read(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for name in (
        "tests/conftest.py",
        "tests/contract/test_publishing.py",
        "docs/conf.py",
        "docs/images/attention_pattern.svg",
        "notebooks/01_quickstart.ipynb",
        "Makefile",
        ".ci/run",
        "CITATION.cff",
    ):
        assert name in names
    assert not any(name.endswith(".pyc") for name in names)


@pytest.mark.slow
def test_the_installed_wheel_runs_command_and_python_outside_the_checkout(
    wheel, tmp_path
):
    pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        tmp_path / "here",
    ]
    python(*pip, wheel, cwd=tmp_path)
    (tmp_path / "toast.py").write_text(
        '"""Toast."""\n\n\ndef is_burnt(toast):\n    return toast.minutes > 7\n'
    )
    path = {"PYTHONPATH": str(tmp_path / "here")}
    where = python("-c", "import tf_led; print(tf_led.__file__)", cwd=tmp_path, **path)
    assert where.startswith(str(tmp_path))
    command = tmp_path / "here/bin/tf-led"
    assert "summarize" in python(command, "--help", cwd=tmp_path, **path)
    words = ["summarize", "toast.py", "--max-new-tokens", "7"]
    assert python(command, *words, cwd=tmp_path, **path).strip()
    first_of_the_readme = blocks("README.md", "python")[0]
    assert python("-c", first_of_the_readme, cwd=tmp_path, **path).strip()


def test_metadata_has_licence_urls_topics_and_keywords(metadata):
    assert metadata["License-Expression"] == "Apache-2.0"
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert urls.keys() >= {"Source", "Documentation", "Changelog", "Issues", "Paper"}
    assert all(url.startswith("https://") for url in urls.values())
    classifiers = metadata.get_all("Classifier")
    assert any(line.startswith("Topic :: ") for line in classifiers)
    assert not any(line.startswith("License :: ") for line in classifiers)
    assert "summarization" in metadata["Keywords"]


def test_no_link_or_picture_of_the_description_needs_the_checkout(metadata):
    text = metadata.get_payload()
    targets = re.findall(r"\]\(([^)\s]+)", text)
    assert len(targets) > 10
    assert all(target.startswith(("https://", "#")) for target in targets)
    assert (
        f"{ADDRESS}/raw/v{tf_led.__version__}/docs/images/attention_pattern.svg" in text
    )


def test_links_lead_to_the_repository_at_the_tag_of_the_version():
    text = "[a](docs/a.md#b) ![c](d/e.png) [f](https://f.example) [g](#h)"
    assert SETUP["description"](text, ADDRESS, TAG) == (
        f"[a]({ADDRESS}/blob/v1.2/docs/a.md#b) ![c]({ADDRESS}/raw/v1.2/d/e.png) "
        "[f](https://f.example) [g](#h)"
    )


def test_without_an_address_no_link_is_dead():
    text = "[a](docs/a.md#b) ![c](d/e.png) [f](https://f.example) [g](#h)"
    expected = "a  [f](https://f.example) [g](#h)"
    assert SETUP["description"](text, "", TAG) == expected
    assert [*SETUP["project_urls"]("", TAG)] == ["Paper"]


def test_the_citation_names_this_version_and_the_paper():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == tf_led.__version__
    assert citation["license"] == "Apache-2.0"
    paper = citation["preferred-citation"]
    assert paper["url"] == SETUP["PAPER"]
    families = [author["family-names"] for author in paper["authors"]]
    assert families == ["Beltagy", "Peters", "Cohan"]


def test_hosted_pages_are_built_as_make_docs_builds_them():
    pages = yaml.safe_load(read(".readthedocs.yaml"))
    assert pages["version"] == 2
    assert (ROOT / pages["sphinx"]["configuration"]).is_file()
    assert pages["sphinx"]["fail_on_warning"] is True
    assert pages["python"]["install"][0]["extra_requirements"] == ["docs"]
