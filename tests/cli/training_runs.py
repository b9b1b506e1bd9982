"""A small checkpoint, examples for it, and runs of `tf-led train`."""

import json

from tf_led.cli.main import main

WORDS = ["parser", "argument", "option", "value", "default", "help", "action"]


def write_examples(file, random, number, bad=()):
    """Writes examples of different lengths, and bad lines before some of them."""
    lines = []
    for _ in range(number):
        words = random.choices(WORDS, k=random.randint(3, 23))
        row = {"document": " ".join(words), "summary": " ".join(words[:3])}
        lines.append(json.dumps(row))
    for place, line in bad:
        lines.insert(place, line)
    file.write_text("\n".join(lines) + "\n")


def argv_of(files, output, small=None):
    """The command; without `small` for the checkpoint that `files` came with."""
    model = files[2] if small is None else small.folder
    argv = ["train", "--train", files[0], "--validation", files[1], "--model", model]
    argv += ["--output", output, "--epochs", 2, "--batch-size", 4, "--save-steps", 2]
    argv += ["--learning-rate", 0.01, "--max-source-length", 64]
    return [str(word) for word in argv]


def train(files, output, small=None):
    """Runs the command in this process; returns the exit code."""
    return main(argv_of(files, output, small))


class Run(tuple):
    """(output, result, stderr) of a run that has ended, and its `files`."""

    output = property(lambda self: self[0])
    files = None
