"""A handful of examples for `make demo`: functions and what their docstrings say."""

import ast
import configparser
import copy
import heapq
import json
import shutil
import tarfile
import textwrap

# One module is in one file only: what is measured has not been learnt.
LEARNT = (textwrap, shutil)
MEASURED = (heapq, copy, tarfile)
DOCUMENT = configparser


def write_examples(file, modules, number):
    """Writes functions without their docstrings, and the docstrings' first sentences.

    Args:
        file: Path of the JSONL file.
        modules: modules whose source to read.
        number: int, how many at most.

    Example:
        >>> import json, textwrap
        >>> from pathlib import Path
        >>> from tf_led.cli.demo_examples import write_examples
        >>> write_examples(Path("examples.jsonl"), [textwrap], 1)
        >>> json.loads(Path("examples.jsonl").read_text())["summary"]
        'Wrap a single paragraph of text, returning a list of wrapped lines.'
    """
    found = [pair for module in modules for pair in pairs_of(module)]
    rows = [{"document": source, "summary": text} for source, text in found]
    lines = [json.dumps(row) + "\n" for row in rows[:number]]
    file.write_text("".join(lines), encoding="utf-8")


def pairs_of(module):
    """Finds (source without docstring, first sentence) for a module's functions.

    Args:
        module: a module that has a source file.

    Returns:
        List of pairs of str, those with a docstring of a sentence.
    """
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    pairs = [(without_docstring(node), first_sentence(node)) for node in functions]
    return [(source, text) for source, text in pairs if len(text) > 20]


def first_sentence(node):
    text = (ast.get_docstring(node) or "").split("\n\n")[0]
    return " ".join(text.split()).split(". ")[0]


def without_docstring(node):
    if ast.get_docstring(node) is None:
        return ast.unparse(node)
    shorter = copy.copy(node)
    shorter.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(shorter)
