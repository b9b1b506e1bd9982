"""Keras opens our files after `import tf_led` alone, in any order of imports."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import tf_led
from tf_led.utils.keras_classes import SERIALIZABLE, AfterKeras, StandIn, install

SAVED = Path(__file__).parent / "data" / "saved_by_0_1.keras"


def python(source, **environment):
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


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
    install()
    assert keras.saving.get_custom_objects()["tf_led>TFLEDModel"] is model
    assert not any(isinstance(finder, AfterKeras) for finder in sys.meta_path)
