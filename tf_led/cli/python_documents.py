"""Functions, classes and modules as documents, and what their docstrings say."""

import ast
import dataclasses
import textwrap

from tf_led.cli.python_sentences import first_sentence, is_wanted

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclasses.dataclass(frozen=True)
class Document:
    """Source without its docstring, and what that said first.

    Attributes:
        kind: "function", "class" or "module".
        name: str, qualified: "Reader.read".
        signature: str, the line that defines it; of a module the first line.
        document: str, the source.
        summary: str, the first sentence of the docstring.
    """

    kind: str
    name: str
    signature: str
    document: str
    summary: str


def documents_of(source, module):
    """Finds what has a docstring with a sentence worth learning.

    A method stands below the line that opens its class, as in the source. Of a function
    or class its own docstring is taken out, of a module every one.

    Args:
        source: str, of a whole file.
        module: str, the file's name without folder and `.py`.

    Returns:
        List of Document.

    Raises:
        SyntaxError: if it is no Python.

    Example:
        >>> from tf_led.cli.python_documents import documents_of
        >>> source = ["def f(n):", "  'Adds one to it.'", "  return n + 1"]
        >>> found = documents_of(chr(10).join(source), "module")
        >>> found[0].document.splitlines(), found[0].summary
        (['def f(n):', '  return n + 1'], 'Adds one to it.')
    """
    tree, lines = ast.parse(source), source.splitlines()
    found = [_defined(node, outer, lines) for node, outer in _definitions(tree)]
    summary = first_sentence(ast.get_docstring(tree))
    text = "\n".join(_without(lines, 1, len(lines), _docstrings(tree))).strip()
    if text and is_wanted(summary):
        signature = text.split("\n", 1)[0]
        found.append(Document("module", module, signature, text, summary))
    return [document for document in found if document]


def _definitions(node, outer=()):
    """Yields what is defined at the top and in classes, with the classes around it."""
    for child in node.body:
        if isinstance(child, DEFINITIONS):
            yield child, outer
        if isinstance(child, ast.ClassDef):
            yield from _definitions(child, (*outer, child))


def _defined(node, outer, lines):
    summary = first_sentence(ast.get_docstring(node))
    is_one_line = node.body[0].lineno == node.lineno
    if len(node.body) < 2 or is_one_line or not is_wanted(summary):
        return None
    first = min([node.lineno, *(line.lineno for line in node.decorator_list)])
    text = _without(lines, first, node.end_lineno, [_docstring(node)])
    if outer:
        text = [lines[outer[-1].lineno - 1], *text]
    return Document(
        "class" if isinstance(node, ast.ClassDef) else "function",
        ".".join(one.name for one in (*outer, node)),
        lines[node.lineno - 1].strip(),
        textwrap.dedent("\n".join(text)).strip(),
        summary,
    )


def _docstrings(tree):
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.Module, *DEFINITIONS))]
    return [_docstring(n) for n in nodes if ast.get_docstring(n) is not None]


def _docstring(node):
    return node.body[0].lineno, node.body[0].end_lineno


def _without(lines, first, last, ranges):
    """The lines from one to another, counted from 1, but those of some ranges."""
    dropped = {line for start, stop in ranges for line in range(start, stop + 1)}
    kept = [n for n in range(first, last + 1) if n not in dropped]
    return [lines[n - 1] for n in kept]
