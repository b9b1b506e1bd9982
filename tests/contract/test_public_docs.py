"""Every public name says what it takes, and its examples run as they stand."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import tf_led

PACKAGE = Path(tf_led.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def is_ours(thing):
    return (getattr(thing, "__module__", None) or "").split(".")[0] == "tf_led"


def documented_names(doc):
    """The names that start an entry of the `Args:` section."""
    section = re.search(
        r"^Args:\n((?:[ ]+.*\n|\n)*)", inspect.cleandoc(doc) + "\n", re.M
    )
    entries = re.findall(r"^    (\S[^:]*):", section[1], re.M) if section else []
    return {name.strip(" *`") for entry in entries for name in entry.split(",")}


def undocumented(function, doc):
    """The arguments of a function that the `Args:` section of `doc` leaves out."""
    names = inspect.signature(function).parameters.keys() - {"self", "cls"}
    return sorted(names - documented_names(doc or ""))


def entrance(thing):
    """The function whose arguments `Args:` stands for."""
    return vars(thing).get("__init__") if inspect.isclass(thing) else thing


def unnamed_call_arguments(cls):
    """The arguments of `call` that the class' docstring does not name in backticks.

    Where it says that they are those of another public class, that one's count too.
    """
    doc = cls.__doc__
    doc += "".join(
        getattr(tf_led, name).__doc__
        for name in re.findall(r"those of `(\w+)`", doc)
        if name in tf_led.__all__
    )
    names = inspect.signature(cls.call).parameters.keys() - {"self"}
    return sorted(name for name in names if f"`{name}`" not in doc)


def own_methods(cls):
    """Yields the public methods that we add, those of Keras that we override apart."""
    theirs = [base for base in cls.__mro__ if not is_ours(base)]
    for base in filter(is_ours, cls.__mro__):
        for name, member in vars(base).items():
            function = inspect.unwrap(getattr(member, "__func__", member))
            overrides = any(hasattr(other, name) for other in theirs)
            is_public = not name.startswith("_") and name not in {"call", "build"}
            if is_public and inspect.isfunction(function) and not overrides:
                yield function


@pytest.mark.parametrize("name", tf_led.__all__)
def test_public_name_has_a_docstring_that_names_each_argument(name):
    thing = getattr(tf_led, name)
    assert thing.__doc__
    if is_ours(thing) and is_ours(entrance(thing)):
        assert undocumented(entrance(thing), thing.__doc__) == []
    if is_ours(getattr(thing, "call", None)):
        assert unnamed_call_arguments(thing) == []


@pytest.mark.parametrize("name", tf_led.__all__)
def test_public_methods_have_docstrings_that_name_each_argument(name):
    thing = getattr(tf_led, name)
    for method in own_methods(thing) if inspect.isclass(thing) else []:
        assert method.__doc__, method.__qualname__
        assert undocumented(method, method.__doc__) == [], method.__qualname__


def test_an_argument_that_is_left_out_is_caught():
    doc = """Does a thing.

    Args:
        query, key: float[B, S, N, H]. Two in one entry:
            with a colon on the next line.
        **options: more.

    Returns:
        radius: not an argument.
    """

    def attend(query, key, radius, **options): ...

    assert undocumented(attend, doc) == ["radius"]
    assert undocumented(attend, None) == ["key", "options", "query", "radius"]


def test_a_call_argument_that_is_left_out_is_caught():
    class Toast:
        """Call arguments: those of `TFLEDModel`, and `burnt`, bool."""

        def call(self, input_ids, burnt, crisp): ...

    assert unnamed_call_arguments(Toast) == ["crisp"]


@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # whatever an example writes is thrown away
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    printed = []
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder().find(importlib.import_module(module)):
        runner.run(test, out=printed.append)
    assert runner.failures == 0, "".join(printed)
