"""The sets of versions that are tested: a file each, and an environment made of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
HOME = ROOT / "build/versions"
NAMES = ("oldest", "colab", "newest")
# What the tests need besides the package. Torch is what they compare with.
TOOLS = [
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "datasets",
    "rouge-score",
    "tensorboard",
]
TORCH = "torch==2.13.0"


def read_set(name):
    """Returns the set's Python, such as "3.13", and its pins as {package: version}."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    python = re.match(r"# Python (\d\.\d+)\n", text)[1]
    return python, dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))


def find_python(version):
    """Returns the interpreter of that version, or this one with a word on stderr."""
    found = shutil.which(f"python{version}")
    if (
        found
        and subprocess.run([found, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    ):
        return found
    here = ".".join(map(str, sys.version_info[:2]))
    print(f"no Python {version} here: Python {here} in its place", file=sys.stderr)
    return sys.executable


def make_environment(name, python, with_torch):
    """Installs the set, then the package over it as a user would.

    Args:
        name: a name of NAMES.
        python: path of the interpreter to make the environment with.
        with_torch: bool, whether torch is installed too.

    Returns:
        Path of the environment's Python.

    Raises:
        SystemExit: if the package replaced a version of the set.
    """
    folder = HOME / name
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
    tools = [*TOOLS, TORCH] if with_torch else TOOLS
    subprocess.run([*pip, "--requirement", FOLDER / f"{name}.txt"], check=True)
    subprocess.run([*pip, "--editable", os.fspath(ROOT), *tools], check=True)
    _, wanted = read_set(name)
    replaced = {
        package: version
        for package, version in installed_versions(folder / "bin/python").items()
        if version != wanted.get(package, version)
    }
    if replaced:
        raise SystemExit(f"{name}: the package or its tests replaced {replaced}")
    return folder / "bin/python"


def installed_versions(python):
    """Returns {package: version} of an environment."""
    command = [python, "-m", "pip", "list", "--format", "freeze"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    pairs = (line.split("==", 1) for line in done.stdout.splitlines() if "==" in line)
    return {name.replace("_", "-").lower(): version for name, version in pairs}
