"""Every public name says what it takes, and its examples run as they stand."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import tf_led
from tests.contract.public_surface import (
    entrance,
    is_ours,
    listed_names,
    missing_sections,
    public_things,
)

PACKAGE = Path(tf_led.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def documented_names(doc):
    """The names that start an entry of the `Args:` section."""
    section = re.search(
        r"^Args:\n((?:[ ]+.*\n|\n)*)", inspect.cleandoc(doc) + "\n", re.M
    )
    entries = re.findall(r"^    (\S[^:]*):", section[1], re.M) if section else []
    return {name.strip(" *`") for entry in entries for name in entry.split(",")}


def undocumented(function, doc):
    """The arguments of a function that the `Args:` section of `doc` leaves out."""
    # `model`: the models' methods are functions in modules of their own.
    not_given = {"self", "cls", "model"}
    names = inspect.signature(function).parameters.keys() - not_given
    return sorted(names - documented_names(doc or ""))


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


THINGS = public_things()


@pytest.mark.parametrize("name", THINGS)
def test_docstring_has_every_argument_result_error_and_an_example(name):
    thing = THINGS[name]
    assert missing_sections(thing) == []
    if is_ours(entrance(thing)):
        assert undocumented(entrance(thing), thing.__doc__) == []
    if inspect.isclass(thing) and is_ours(getattr(thing, "call", None)):
        assert unnamed_call_arguments(thing) == []


def test_every_public_name_is_in_the_api_reference():
    listed = {name.removeprefix("tf_led.") for name in listed_names()}
    assert set(tf_led.__all__) <= listed
    assert len(THINGS) > 150  # otherwise the test above would look at too little


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


def test_what_a_docstring_leaves_out_is_caught():
    def burn(toast):
        """Burns toast.

        Example:
            Not one that runs.
        """
        if not toast:
            raise ValueError("no toast")
        return toast

    def eat(toast):
        def chew():
            return toast

        chew()

    assert missing_sections(burn) == ["Example"]
    burn.__module__ = "tf_led.toast"
    assert missing_sections(burn) == ["Example", "Raises: ValueError", "Returns"]
    assert missing_sections(eat) == ["a docstring"]
    eat.__doc__ = "Eats toast.\n\nExample:\n    >>> eat(1)\n"
    eat.__module__ = "tf_led.toast"
    assert missing_sections(eat) == []


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # whatever an example writes is thrown away
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    printed = []
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder().find(importlib.import_module(module)):
        runner.run(test, out=printed.append)
    assert runner.failures == 0, "".join(printed)
