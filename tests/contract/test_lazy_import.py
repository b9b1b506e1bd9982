"""`import tf_led` is quick and brings in neither torch nor TensorFlow."""

import importlib.util
import json
import subprocess
import sys

import pytest

import tf_led

HEAVY = ("torch", "tensorflow", "keras", "transformers")


def python(source):
    """Runs `source` in a fresh interpreter and reads the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_import_leaves_the_heavy_libraries_alone():
    loaded = python(
        "import json, sys, tf_led; dir(tf_led)\n"
        "print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    )
    assert "tf_led" in loaded
    assert not set(HEAVY) & set(loaded)
    # Otherwise the lines above would pass because there is nothing to import.
    assert all(importlib.util.find_spec(name) for name in HEAVY)


@pytest.mark.parametrize("name", tf_led.__all__)
def test_every_public_name_resolves_and_is_kept(name):
    value = getattr(tf_led, name)
    assert value.__name__ == name
    assert vars(tf_led)[name] is value


def test_dir_lists_every_public_name():
    assert set(tf_led.__all__) <= set(dir(tf_led))
    assert dir(tf_led) == sorted(dir(tf_led))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'tf_led' has no attribute 'TFLEDMedal'"):
        tf_led.TFLEDMedal  # noqa: B018


def test_import_star_brings_the_public_names_only():
    names = {}
    exec("from tf_led import *", names)
    assert set(names) - {"__builtins__"} == set(tf_led.__all__)
