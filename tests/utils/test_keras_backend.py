"""A Keras that is set to another backend is an error with its name, at once."""

import json
import os
import subprocess
import sys
import types

import pytest

import tf_led
from tf_led.cli.main import main
from tf_led.utils.keras_backend import check_keras_backend


@pytest.fixture
def without_keras(monkeypatch, tmp_path):
    """As in a process where Keras is not loaded, with a home folder of its own."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def test_tensorflow_is_the_default(without_keras, monkeypatch):
    check_keras_backend()
    for text in ('{"backend": "tensorflow"}', "{}", "[3]", "{", "[" * 100_000):
        (without_keras / "keras.json").write_text(text)
        check_keras_backend()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    (without_keras / "keras.json").write_text('{"backend": "jax"}')
    check_keras_backend()


@pytest.mark.parametrize("backend", ["jax", "torch", "numpy"])
def test_another_backend_is_named_with_who_chose_it(
    without_keras, monkeypatch, backend
):
    file = without_keras / "keras.json"
    file.write_text(json.dumps({"backend": backend}))
    with pytest.raises(ImportError, match=f"keras.json .*'{backend}'"):
        check_keras_backend()
    file.unlink()
    monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(ImportError, match=f"KERAS_BACKEND .*'{backend}'"):
        check_keras_backend()
    config = types.SimpleNamespace(backend=lambda: backend)
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(config=config))
    with pytest.raises(ImportError, match=f"that is loaded .*'{backend}'"):
        check_keras_backend()


def test_the_library_and_the_command_say_so(without_keras, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(vars(tf_led), "TFLEDModel", raising=False)
    with pytest.raises(ImportError, match="'jax'"):
        tf_led.TFLEDModel  # noqa: B018
    (without_keras / "a.txt").write_text("a text")
    assert main(["summarize", str(without_keras / "a.txt")]) == 2
    assert "'jax'" in capsys.readouterr().err.splitlines()[-1]


def test_a_new_process_says_so_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from tf_led import TFLEDModel"],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: tf_led needs Keras on")
