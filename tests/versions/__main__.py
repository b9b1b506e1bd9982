"""Runs the tests on sets of versions: `python -m tests.versions [SET...]`.

Each set has an environment of its own under build/versions. What a test needs of a
version is the same on all of them; a failure is a difference between versions that
tf_led/utils/versions.py has to know.
"""

import argparse
import subprocess
import sys

from tests.versions import sets
from tests.versions.without_torch import needs_torch

# What does not depend on versions, or runs the same code by the command.
LEFT_OUT = {
    "assets",
    "benchmarks",
    "cli",
    "contract",
    "examples",
    "notebooks",
    "versions",
}


def main():
    parser = argparse.ArgumentParser(prog="tests.versions", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(sets.NAMES))
    parser.add_argument("--python", help="the interpreter, in place of the set's own")
    parser.add_argument(
        "--keep", action="store_true", help="use the environment as it is"
    )
    parser.add_argument(
        "--no-torch",
        action="store_true",
        help="neither install torch nor run the files of tests that import it",
    )
    parser.add_argument("--parts", nargs="+", default=parts(), help="folders of tests/")
    args = parser.parse_args()
    unknown = set(args.sets) - {*sets.NAMES}
    if unknown:
        parser.error(f"there is no set {sorted(unknown)}; choose of {sets.NAMES}")
    failed = [name for name in args.sets or sets.NAMES if not passes(name, args)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def parts():
    """The folders of tests/ that stand on TensorFlow, Keras or transformers."""
    tests = sets.ROOT / "tests"
    files = tests.glob("*/**/test_*.py")
    return sorted({file.relative_to(tests).parts[0] for file in files} - LEFT_OUT)


def passes(name, args):
    """Whether the tests pass on a set, whose versions are printed first."""
    wanted_python, pins = sets.read_set(name)
    if args.keep:
        python = sets.HOME / name / "bin/python"
    else:
        interpreter = args.python or sets.find_python(wanted_python)
        python = sets.make_environment(name, interpreter, not args.no_torch)
    print(f"{name}: {', '.join(' '.join(pin) for pin in pins.items())}", flush=True)
    plugins = ["-p", "tests.versions.older_reference"]
    if args.no_torch:
        plugins += ["-p", "tests.versions.without_torch"]
    tests = [f"tests/{part}" for part in args.parts if not leaves_out(part, args)]
    command = [python, "-m", "pytest", *plugins, *tests]
    return subprocess.run(command, cwd=sets.ROOT).returncode == 0


def leaves_out(part, args):
    """Whether a whole folder needs torch, which is not installed: its conftest does."""
    conftest = sets.ROOT / "tests" / part / "conftest.py"
    if not args.no_torch or not needs_torch(conftest):
        return False
    print(f"left out, it needs torch: tests/{part}", flush=True)
    return True


if __name__ == "__main__":
    main()
