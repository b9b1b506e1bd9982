"""Which part of tf_led may import which: read from the source, nothing is imported."""

import ast
import sys
from pathlib import Path

import pytest

import tf_led
from tf_led.utils.old_paths import OLD_PATHS

PACKAGE = Path(tf_led.__file__).parent

MAY_IMPORT = {
    "utils": set(),
    "ops": {"utils"},
    "layers": {"ops", "utils"},
    "generation": {"ops", "utils"},
    "checkpoints": {"ops", "utils"},
    # A run's state is saved as weights are.
    "training": {"ops", "utils", "checkpoints"},
    "serving": {"ops", "utils", "tokenization", "checkpoints"},
    # Its files are written as weights are.
    "tokenization": {"ops", "utils", "checkpoints"},
    # Ids are kept as weights are.
    "data": {"ops", "utils", "tokenization", "checkpoints"},
}
MAY_IMPORT["models"] = {*MAY_IMPORT}
MAY_IMPORT["pipelines"] = {*MAY_IMPORT}
# The lazy root: the public names, whose homes are strings and so not imports.
MAY_IMPORT["tf_led"] = {"utils"}
MAY_IMPORT["cli"] = MAY_IMPORT["testing"] = {*MAY_IMPORT, "cli", "testing"}
# `ops` stands on TensorFlow alone; optree is how Keras walks our output structures.
OPS_STAND_ON = {"tensorflow", "numpy", "optree", *sys.stdlib_module_names}


def parse(package):
    """Yields (path, part, syntax tree) for every Python file of a package."""
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).parts
        part = inside[0] if len(inside) > 1 else "tf_led"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield path, part, WithoutTypes().visit(tree)


class WithoutTypes(ast.NodeTransformer):
    """Drops what stands under `if TYPE_CHECKING:`, which never runs."""

    def visit_If(self, node):
        is_for_checkers = ast.unparse(node.test) == "TYPE_CHECKING"
        return ast.Pass() if is_for_checkers else self.generic_visit(node)


def imported_names(tree, path, package):
    """Yields (line, dotted name) for each import, however deep and however relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = absolute_base(node, path, package)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and is_import_call(node):
            yield node.lineno, node.args[0].value


def absolute_base(node, path, package):
    if not node.level:
        return node.module
    folder = path.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    dotted = [package.name, *folder.relative_to(package).parts]
    return ".".join([*dotted, *filter(None, [node.module])])


def is_import_call(node):
    """`import_module("name")` and `__import__("name")` with a literal name."""
    called = getattr(node.func, "attr", getattr(node.func, "id", None))
    literal = node.args and isinstance(node.args[0], ast.Constant)
    return called in {"import_module", "__import__"} and literal


def part_of(dotted, package, homes):
    """The part that a dotted name leads to; None outside the package."""
    root, *rest = dotted.split(".")
    if root != package.name:
        return None
    if rest and rest[0] in homes:  # a public name, taken from the lazy root
        return homes[rest[0]].split(".")[1]
    if rest and (package / rest[0]).is_dir():
        return rest[0]
    return "tf_led"


def forbidden_arrows(package, homes):
    """Lists every import that the design forbids, as `file:line: part -> part`."""
    found = []
    for path, part, tree in parse(package):
        for line, dotted in imported_names(tree, path, package):
            to = part_of(dotted, package, homes)
            if to is None or to == part or dotted == f"{package.name}.__version__":
                continue
            if part not in MAY_IMPORT or to not in MAY_IMPORT[part]:
                found.append(f"{path.relative_to(package)}:{line}: {part} -> {to}")
    return found


def test_no_import_goes_against_the_arrows():
    assert forbidden_arrows(PACKAGE, tf_led._HOME) == []


def test_every_part_has_its_arrows_written_down():
    parts = {part for _, part, _ in parse(PACKAGE)}
    assert len(parts) > 5 and parts <= MAY_IMPORT.keys()


def test_nothing_of_ours_goes_by_the_old_paths():
    """They lead on for pickles and programs of users; they may go one day."""
    found = {
        f"{path.relative_to(PACKAGE)}:{line}: {dotted}"
        for path, _, tree in parse(PACKAGE)
        for line, dotted in imported_names(tree, path, PACKAGE)
        if any(f"{dotted}.".startswith(f"{old}.") for old in OLD_PATHS)
    }
    assert OLD_PATHS and not found


def test_ops_stand_on_tensorflow_alone():
    outside = {
        dotted.split(".")[0]
        for path, part, tree in parse(PACKAGE)
        if part == "ops"
        for _, dotted in imported_names(tree, path, PACKAGE)
    }
    assert outside - {"tf_led"} <= OPS_STAND_ON


def test_nothing_imports_torch_but_what_writes_its_files_and_only_then():
    importers = {
        str(path.relative_to(PACKAGE)): tree
        for path, _, tree in parse(PACKAGE)
        for _, dotted in imported_names(tree, path, PACKAGE)
        if dotted.split(".")[0] == "torch"
    }
    assert [*importers] == ["checkpoints/formats/pytorch_bin.py"]
    (tree,) = importers.values()
    body = ast.Module(at_top_level(tree), [])
    found = [dotted for _, dotted in imported_names(body, PACKAGE, PACKAGE)]
    assert found and not any(dotted.split(".")[0] == "torch" for dotted in found)


def at_top_level(tree):
    """The imports that run as soon as a module is loaded."""
    return [
        node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
    ]


@pytest.mark.parametrize(
    ("file", "source", "arrow"),
    [
        ("ops/masks.py", "from tf_led.layers import norm", "ops -> layers"),
        ("ops/masks.py", "import tf_led.models.led", "ops -> models"),
        ("layers/norm.py", "from ..models.led import LED", "layers -> models"),
        ("layers/deep/a.py", "from ...models import led", "layers -> models"),
        ("layers/norm.py", "from .. import models", "layers -> models"),
        ("data/pad.py", "def f():\n    from tf_led import TFLED", "data -> models"),
        ("data/pad.py", "import tf_led\ntf_led.TFLED", "data -> tf_led"),
        ("tokenization/bpe.py", "import tf_led.layers", "tokenization -> layers"),
        ("generation/beam.py", "import tf_led.tokenization", "generation -> tokeniz"),
        ("checkpoints/hub.py", "__import__('tf_led.models')", "checkpoints -> models"),
        ("models/led.py", "from tf_led.testing import toy", "models -> testing"),
        ("fresh/new.py", "from tf_led import ops", "fresh -> ops"),
        ("__init__.py", "from .models import led", "tf_led -> models"),
        (
            "serving/out.py",
            "import importlib\nimportlib.import_module('tf_led.models')",
            "serving -> models",
        ),
    ],
)
def test_a_forbidden_arrow_is_caught(tmp_path, file, source, arrow):
    package = made_up_package(tmp_path)
    (package / file).parent.mkdir(parents=True, exist_ok=True)
    (package / file).write_text(source)
    found = forbidden_arrows(package, {"TFLED": "tf_led.models.led"})
    assert len(found) == 1 and arrow in found[0] and file in found[0]


def test_the_arrows_of_the_design_pass(tmp_path):
    package = made_up_package(tmp_path)
    (package / "cli/main.py").write_text("from tf_led import TFLED, models, testing")
    (package / "models/led.py").write_text("from ..layers import norm\nimport torch")
    (package / "serving/out.py").write_text("from tf_led.tokenization import bpe")
    (package / "checkpoints/hub.py").write_text("from tf_led import __version__")
    assert forbidden_arrows(package, {"TFLED": "tf_led.models.led"}) == []


def made_up_package(folder):
    package = folder / "tf_led"
    for part in MAY_IMPORT.keys() - {"tf_led"}:
        (package / part).mkdir(parents=True)
    return package
