"""Runs the Beam example on a SavedModel and compares: beam_pipeline.py MODEL FOLDER.

Runs in the environment of the example, which has apache-beam and TensorFlow alone.
"""

import importlib.util
import json
import sys
from pathlib import Path

import tensorflow as tf

EXAMPLE = Path(__file__).parents[2] / "examples/beam/summarize.py"
TEXTS = [f"def parse(line):\n    return line.split({n!r})\n" * n for n in range(1, 24)]
BAD = [b"{", b'["text"]', b'{"title": "no text"}', b'{"text": 3}']
BAD += [rb'{"text": "\ud800"}', rb'{"text": "a", "title": "\udfff"}']
BAD += [b'{"text": "caf\xe9"}', b"[" * 99_999]


def run_example(model, lines, folder):
    """Runs the pipeline on lines; returns those that it wrote, and the errors."""
    spec = importlib.util.spec_from_file_location("summarize", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in lines))
    example.main(["--model", model, "--input", str(source), "--output", str(target)])
    errors = Path(f"{target}.errors.jsonl")
    return [
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in (target, errors)
    ]


def main():
    model, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    given = [{"id": n, "text": text} for n, text in enumerate(TEXTS)]
    lines = [json.dumps(row).encode() for row in given]
    rows, errors = run_example(model, [*lines[:7], *BAD, *lines[7:]], folder)
    serve = tf.saved_model.load(model).signatures["serving_default"]
    rows.sort(key=lambda row: row["id"])
    assert len(rows) == len(given), f"{len(rows)} rows of {len(given)}"
    for row, expected in zip(rows, given, strict=True):
        (text,) = serve(text=tf.constant([row["text"]]))["generated_text"].numpy()
        assert row == {**expected, "summary": text.decode()}, row
    bad = [line.decode(errors="replace") for line in BAD]
    assert sorted(error["line"] for error in errors) == sorted(bad), errors
    assert all(error["error"] for error in errors)
    print(f"{len(rows)} summaries as by the model itself, {len(errors)} lines rejected")


if __name__ == "__main__":
    main()
