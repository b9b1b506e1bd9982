"""Executes notebooks and stores what they print and draw: `execute.py [FILE...]`."""

import argparse
import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tf_led.checkpoints.disk.atomic import staged

FILES = sorted(Path(__file__).parent.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(file, folder):
    """Runs a notebook from its first cell to its last in a fresh kernel.

    Args:
        file: path of the notebook, which stays as it is.
        folder: path of the folder that it runs in.

    Returns:
        The notebook with its outputs.

    Raises:
        CellExecutionError: from nbclient, if a cell fails; it has cell and traceback.
    """
    notebook = nbformat.read(file, as_version=4)
    # A kernel that knows of pytest does not show what C++ writes to stderr.
    hidden = ("PYTEST_CURRENT_TEST", "TF_CPP_MIN_LOG_LEVEL")
    environment = {key: os.environ[key] for key in os.environ if key not in hidden}
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)
    notebook.metadata = METADATA
    return notebook


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=FILES, metavar="FILE")
    for file in parser.parse_args().files:
        print(file.name, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            notebook = execute(file, folder)
        with staged(file.parent) as staging:  # killed meanwhile, the old one is whole
            nbformat.write(notebook, staging.path / file.name)


if __name__ == "__main__":
    main()
