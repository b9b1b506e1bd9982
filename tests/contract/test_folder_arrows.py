"""Which folder of a part may import which of its neighbours: read from the source."""

import pytest

from tests.contract.test_import_arrows import PACKAGE, imported_names, parse

# A neighbour is a folder or a file beside it. A folder that is not listed may import
# any; nor are the files beside it bound.
MAY_IMPORT = {
    "checkpoints": {
        "disk": {"errors", "json_files"},
        "names": {"errors", "json_files"},
        "formats": {"errors", "json_files", "disk", "names"},
        "hub": {"errors", "json_files", "disk", "formats"},
        "convert": {
            "errors",
            "json_files",
            "disk",
            "names",
            "formats",
            "hub",
            "load",
            "save",
        },
    },
    "generation": {
        "processors": set(),
        "search": {"processors"},
        "options": {"processors"},
    },
    "models": {
        "inputs": {"config", "outputs"},
        "backbone": {"config", "outputs", "inputs"},
        "generation": {"config", "outputs", "inputs", "backbone"},
        "training": {"config", "outputs", "inputs"},
        "serving": {"config", "outputs", "inputs", "backbone", "generation"},
        "pretrained": {
            "config",
            "led_config",
            "outputs",
            "inputs",
            "backbone",
            "generation",
            "training",
            "serving",
        },
    },
}


def neighbours(package, part):
    """Yields (file, line, folder, neighbour) for each import within a part."""
    for path, top, tree in parse(package):
        inside = path.relative_to(package).parts
        if top != part or len(inside) < 3:
            continue
        for line, dotted in imported_names(tree, path, package):
            names = dotted.split(".")
            if names[:2] == [package.name, part] and len(names) > 2:
                yield "/".join(inside), line, inside[1], names[2]


def forbidden(package, part):
    """Lists each import that `MAY_IMPORT` lacks, as `file:line: folder -> name`."""
    return [
        f"{file}:{line}: {folder} -> {neighbour}"
        for file, line, folder, neighbour in neighbours(package, part)
        if neighbour != folder
        and neighbour not in MAY_IMPORT[part].get(folder, {neighbour})
    ]


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_no_folder_imports_against_the_arrows(part):
    assert forbidden(PACKAGE, part) == []


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_folders_import_each_other_in_no_circle(part):
    """Each takes only from those that were placed before it."""
    left = dict(MAY_IMPORT[part])
    while left:
        free = [one for one, needs in left.items() if not needs & left.keys()]
        assert free, f"{part}: {sorted(left)} import each other"
        left = {one: left[one] for one in left.keys() - set(free)}
    assert all((PACKAGE / part / folder).is_dir() for folder in MAY_IMPORT[part])


def test_a_forbidden_import_is_caught(tmp_path):
    folder = tmp_path / "tf_led/checkpoints/formats"
    folder.mkdir(parents=True)
    (folder / "zip.py").write_text("from tf_led.checkpoints.hub import resolve")
    (folder / "bin.py").write_text("from tf_led.checkpoints.names import led")
    assert forbidden(tmp_path / "tf_led", "checkpoints") == [
        "checkpoints/formats/zip.py:1: formats -> hub"
    ]
