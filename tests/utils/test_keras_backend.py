"""A Keras that is set to another backend is an error with its name, at once."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import keras
import pytest

import tf_led
from tf_led.cli.main import main
from tf_led.utils.keras_backend import (
    SERIALIZABLE,
    AfterKeras,
    StandIn,
    check_keras_backend,
    check_keras_objects,
    install_stand_ins,
)


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


SAVED = Path(__file__).parent / "data" / "saved_by_0_1.keras"


def python(source, **environment):
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports", ["import tf_led, keras", "import keras, tf_led"], ids=["before", "after"]
)
def test_load_model_after_import_tf_led(imports):
    done = python(
        f"{imports}\n"
        "import sys\n"
        "assert 'transformers' not in sys.modules\n"
        f"model = keras.models.load_model({str(SAVED)!r})\n"
        "assert keras.__spec__.loader is keras.__loader__\n"
        "print(type(model).__module__, type(model).__name__)"
    )
    expected = "tf_led.models.tasks.conditional_generation TFLEDFor"
    assert done.stdout.startswith(expected), done.stderr


def test_every_registered_class_has_a_stand_in():
    source = Path(tf_led.__file__).parent
    registered = set()
    for path in source.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if line.startswith("@keras.saving.register_keras_serializable"):
                rest = lines[number + 1 :]
                found = next(one for one in rest if one.startswith(("class ", "def ")))
                name = found.split()[1].partition("(")[0]
                module = ".".join(path.relative_to(source.parent).with_suffix("").parts)
                registered.add((name, module))
    assert registered == {*SERIALIZABLE.items()}


@pytest.mark.parametrize("name", SERIALIZABLE)
def test_a_stand_in_makes_what_its_class_makes(name):
    made = []
    module = __import__(SERIALIZABLE[name], fromlist=[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(getattr(module, name), "from_config", made.append)
        StandIn(name).from_config({"a": 3})
    assert made == [{"a": 3}]


def test_a_class_that_is_loaded_stays_registered():
    model = tf_led.TFLEDModel
    install_stand_ins()
    assert keras.saving.get_custom_objects()["tf_led>TFLEDModel"] is model
    assert not any(isinstance(finder, AfterKeras) for finder in sys.meta_path)


class Legacy:
    """Stands for an object of Keras 2."""

    __module__ = "tf_keras.src.optimizers.adam"


@pytest.mark.parametrize(
    "value", [Legacy(), Legacy, ["adam", Legacy()], {"a": Legacy()}]
)
def test_objects_of_keras_2_are_rejected(value):
    with pytest.raises(TypeError, match=r"`metrics` holds a tf_keras\..*Legacy"):
        check_keras_objects(optimizer="adam", metrics=value)
