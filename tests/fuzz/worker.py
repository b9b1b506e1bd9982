"""A process that reads one file after another and says how each went.

    python -m tests.fuzz.worker FOLDER

fills FOLDER with good files, then answers each line of "reader<TAB>path" with a line of
JSON: "read", "rejected" or the error that should not have been.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import keras

from tests.fuzz.readers import READERS, make_all, read_quietly


def answer(reader, path):
    """Reads a file; returns a dict with `end` and, after an error, `error`."""
    try:
        read_quietly(reader, path)
    except READERS[reader].errors as error:
        return {"end": "rejected", "error": _text(error)}
    except BaseException as error:
        return {"end": "failed", "error": _text(error)}
    return {"end": "read"}


def _text(error):
    return f"{type(error).__name__}: {str(error)[:300]}"


def main():
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    folder = Path(sys.argv[1])
    if not folder.exists():
        folder.mkdir(parents=True)
        make_all(folder)
        (folder / "model").rename(folder / "good")
        shutil.copytree(folder / "good", folder / "model")
    for reader, kind in READERS.items():  # with which everything is imported, too
        read_quietly(reader, next(folder.glob(kind.file)))
    print(json.dumps({"end": "ready"}), file=answers, flush=True)
    for number, line in enumerate(sys.stdin):
        reader, _, path = line.rstrip("\n").partition("\t")
        print(json.dumps(answer(reader, Path(path))), file=answers, flush=True)
        if number % 50 == 49:
            # TensorFlow keeps some 2 MB for every model that is made.
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
