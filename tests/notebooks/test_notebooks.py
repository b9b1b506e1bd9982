"""Each notebook runs as it stands, and stands here with what it printed and drew."""

import json

import nbformat
import pytest

from notebooks.execute import FILES, execute

NAMES = [file.stem for file in FILES]
each = pytest.mark.parametrize("file", FILES, ids=NAMES)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell):
    """What a cell has as its outputs: "stream", "image/png" and so on."""
    found = set()
    for output in cell.outputs:
        found |= {output.output_type, *output.get("data", {})}
    return found


@pytest.fixture(params=FILES, ids=NAMES)
def stored(request):
    return nbformat.read(request.param, as_version=4)


def test_the_notebooks_are_numbered_without_a_gap():
    assert [name[:2] for name in NAMES] == [f"{n:02}" for n in range(1, 7)]


def test_it_is_valid(stored):
    nbformat.validate(stored)


def test_the_first_cell_says_how_to_take_another_model(stored):
    first = stored.cells[0]
    assert first.cell_type == "markdown"
    assert "`MODEL" in first.source and "allenai/led-base-16384" in first.source


def test_the_install_line_is_guarded_and_first(stored):
    code = code_cells(stored)
    guard, install = "if importlib.util.find_spec", "    %pip install"
    assert code[0].source.index(guard) < code[0].source.index(install)
    assert not any("%pip" in cell.source for cell in code[1:])


def test_it_was_run_from_the_first_cell_to_the_last(stored):
    counts = [cell.execution_count for cell in code_cells(stored)]
    assert counts == list(range(1, len(counts) + 1))


def test_it_stands_here_with_text_and_figures_and_no_error(stored):
    found = set().union(*map(kinds, code_cells(stored)))
    assert {"stream", "image/png"} <= found and "error" not in found
    names = {output.get("name") for c in code_cells(stored) for output in c.outputs}
    assert "stderr" not in names


def test_no_folder_of_one_machine_stands_in_it(stored):
    outputs = json.dumps([cell.outputs for cell in code_cells(stored)])
    assert not any(place in outputs for place in ("/home/", "/root/", "/tmp/"))


@pytest.mark.notebook
@each
def test_it_runs_as_it_stands(file, tmp_path):
    found, stored = execute(file, tmp_path), nbformat.read(file, as_version=4)
    pairs = zip(code_cells(found), code_cells(stored), strict=True)
    # Times and the last digits vary; what a cell shows at all does not.
    assert all(kinds(one) == kinds(other) for one, other in pairs)
