"""What is public: all that the API reference in docs/api lists, and its methods."""

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import tf_led

ROOT = Path(__file__).parents[2]
DIRECTIVE = re.compile(r"^\.\. auto(?:class|function|method):: (\S+)$", re.M)
# What Keras and Python call, and a class' own docstring documents.
NOT_CALLED_BY_USERS = {"call", "build", "process"}


def is_ours(thing):
    return (getattr(thing, "__module__", None) or "").split(".")[0] == "tf_led"


def listed_names():
    """The dotted names on the pages of the API reference."""
    pages = sorted((ROOT / "docs/api").glob("*.rst"))
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return [name for text in texts for name in DIRECTIVE.findall(text)]


def find(dotted):
    """The object behind a dotted name: of a module, or of a class in it."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise LookupError(dotted)


def own_methods(cls):
    """Yields the public methods that we add, those of other bases apart.

    One that does what a base of ours documents needs no docstring of its own.
    """
    theirs = [base for base in cls.__mro__ if not is_ours(base)]
    for base in filter(is_ours, cls.__mro__):
        for name, member in vars(base).items():
            function = inspect.unwrap(getattr(member, "__func__", member))
            overrides = any(hasattr(other, name) for other in theirs)
            inherits = not function.__doc__ and inspect.getdoc(getattr(cls, name, None))
            is_public = not name.startswith("_") and name not in NOT_CALLED_BY_USERS
            is_documented = overrides or inherits
            if is_public and inspect.isfunction(function) and not is_documented:
                yield function


def public_things():
    """Every public class, function and method, by a name to call it by in messages."""
    names = {*listed_names(), *(f"tf_led.{name}" for name in tf_led.__all__)}
    things = {}
    for name in sorted(names):
        thing = inspect.unwrap(find(name))
        if not is_ours(thing):
            continue  # such as a name of transformers that is listed for convenience
        things[f"{thing.__module__}.{thing.__qualname__}"] = thing
        for method in own_methods(thing) if inspect.isclass(thing) else ():
            things[f"{method.__module__}.{method.__qualname__}"] = method
    return things


def entrance(thing):
    """The function whose arguments the docstring stands for."""
    return vars(thing).get("__init__") if inspect.isclass(thing) else thing


def written_entrance(thing):
    """The function whose errors it stands for: of a dataclass what it wrote itself."""
    if dataclasses.is_dataclass(thing):
        return vars(thing).get("__post_init__")
    return entrance(thing)


def own_nodes(function):
    """The syntax nodes of a function, those of functions within it apart."""
    source = textwrap.dedent(inspect.getsource(function))
    left = [ast.parse(source).body[0]]
    inner = (ast.FunctionDef, ast.Lambda, ast.ClassDef)
    while left:
        node = left.pop()
        yield node
        left += [n for n in ast.iter_child_nodes(node) if not isinstance(n, inner)]


def gives_something(function):
    """Whether a function returns or yields something but None."""
    nodes = list(own_nodes(function))
    given = [node.value for node in nodes if isinstance(node, ast.Return)]
    returns = any(value and ast.unparse(value) != "None" for value in given)
    return returns or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)


def raised_names(function):
    """The names of the errors that a function itself raises."""
    nodes = [node for node in own_nodes(function) if isinstance(node, ast.Raise)]
    made = [node.exc.func for node in nodes if isinstance(node.exc, ast.Call)]
    names = {ast.unparse(error).split(".")[-1] for error in made}
    # Our own maker of a ValueError, under XLA of another.
    return {"ValueError" if name == "input_error" else name for name in names}


def section(doc, name):
    """The text of a section of a docstring, or None."""
    pattern = rf"^{name}:\n((?:[ ]+.*\n|\n)*)"
    found = re.search(pattern, inspect.cleandoc(doc or "") + "\n", re.M)
    return found and found[1]


def missing_sections(thing):
    """What the docstring of a class, function or method lacks."""
    doc, function = thing.__doc__ or "", written_entrance(thing)
    if not doc:
        return ["a docstring"]
    missing = [] if ">>> " in (section(doc, "Example") or "") else ["Example"]
    if function is None or not is_ours(function):
        return missing
    raised = section(doc, "Raises") or ""
    missing += [
        f"Raises: {e}" for e in sorted(raised_names(function)) if e not in raised
    ]
    gives = not inspect.isclass(thing) and gives_something(function)
    if gives and not (section(doc, "Returns") or section(doc, "Yields")):
        missing.append("Returns")
    return missing
