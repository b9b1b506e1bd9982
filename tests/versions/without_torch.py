"""A plugin of pytest: leaves out files and tests that need torch, and names them.

For a Python without a CPU build of torch: `pytest -p tests.versions.without_torch`.
"""

import functools
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Files that reach PyTorch's models through transformers alone.
FILES = {"settings/test_every_setting.py"}
# Tests that import torch, or have transformers do so, while they run.
NAMES = {
    "test_every_format_comes_back_bit_equal[torch-pytorch_model.bin]",
    "test_import_and_use_bring_neither_torch_nor_tensorflow",
    "test_names_and_shapes_are_pytorchs",
    "test_the_format_of_the_dataset_does_not_matter[torch]",
    "test_weights_that_would_be_preferred_are_deleted",
    "test_what_was_uploaded_loads_in_both_frameworks",
}
_left_out = []


def pytest_ignore_collect(collection_path):
    if collection_path.suffix == ".py" and needs_torch(collection_path):
        _left_out.append(collection_path.relative_to(TESTS).as_posix())
        return True
    return None


def pytest_collection_modifyitems(config, items):
    out = [item for item in items if item.name in NAMES]
    _left_out.extend(item.name for item in out)
    items[:] = [item for item in items if item.name not in NAMES]
    config.hook.pytest_deselected(items=out)


def pytest_terminal_summary(terminalreporter):
    if _left_out:
        names = ", ".join(sorted({*_left_out}))
        terminalreporter.write_line(f"left out, they need torch: {names}")


@functools.cache
def needs_torch(path):
    """Whether a file imports torch, or does so by what it takes from tests/."""
    is_known = path.as_posix().endswith(tuple(FILES))
    return is_known or any(map(imports_torch, reached_from(path)))


def reached_from(path):
    """The file, the conftests around it, and modules of tests/ that these import."""
    reached, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file in reached or not file.exists():
            continue
        reached.add(file)
        source = file.read_text(encoding="utf-8")
        names = re.findall(r"^\s*from (tests\.[\w.]+) import", source, re.M)
        waiting += [TESTS.parent / f"{name.replace('.', '/')}.py" for name in names]
        around = [folder for folder in file.parents if folder.is_relative_to(TESTS)]
        waiting += [folder / "conftest.py" for folder in around]
    return reached


def imports_torch(file):
    source = file.read_text(encoding="utf-8")
    return re.search(r"^\s*(import|from) torch\b", source, re.M) is not None
