import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from notebooks.execute import execute, main


def write(path, *sources):
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def outputs(notebook):
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def test_cells_run_in_order_in_the_folder(tmp_path):
    file = write(tmp_path / "a.ipynb", "open('left', 'w').close()", "print(7 * 11)")
    (tmp_path / "folder").mkdir()
    first, second = outputs(execute(file, tmp_path / "folder"))
    assert first == [] and second[0].text == "77\n"
    assert (tmp_path / "folder/left").is_file()
    assert outputs(nbformat.read(file, as_version=4)) == [[], []]


def test_a_cell_that_fails_ends_it(tmp_path):
    file = write(tmp_path / "a.ipynb", "raise KeyError('tree')")
    with pytest.raises(CellExecutionError, match="KeyError.*tree"):
        execute(file, tmp_path)


def test_the_command_stores_what_was_printed(tmp_path, monkeypatch, capsys):
    file = write(tmp_path / "a.ipynb", "print('leaf')")
    monkeypatch.setattr("sys.argv", ["execute.py", str(file)])
    main()
    assert capsys.readouterr().out == "a.ipynb\n"
    (stored,) = outputs(nbformat.read(file, as_version=4))
    assert stored[0].text == "leaf\n"
