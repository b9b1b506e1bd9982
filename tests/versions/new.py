"""Tells which versions pip finds that no set tests: `python -m tests.versions.new`.

Exits with 1 if there are any. Their numbers then go into newest.txt, and once the tests
pass on them the limits in setup.cfg move.
"""

import re
import subprocess
import sys

from tests.versions.sets import read_set


def released(package):
    """Returns the newest version that pip finds, without pre-releases."""
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return re.search(r"^Available versions: ([^,\s]+)", done.stdout, re.M)[1]


def as_numbers(version):
    return tuple(int(part) for part in re.findall(r"\d+", version))


def newer(pins, look_up):
    """Returns {package: (tested, released)} where there is a newer minor version."""
    found = {package: (pins[package], look_up(package)) for package in pins}
    return {
        package: (tested, latest)
        for package, (tested, latest) in found.items()
        if as_numbers(latest)[:2] > as_numbers(tested)[:2]
    }


def main():
    _, pins = read_set("newest")
    found = newer(pins, released)
    for package, (tested, latest) in found.items():
        print(f"{package} {latest} is out; tested is {tested}")
    if not found:
        print("nothing newer than what is tested")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
