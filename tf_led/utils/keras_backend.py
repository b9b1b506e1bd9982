"""Keras as this package needs it: on TensorFlow, and with our classes known by name.

`keras.models.load_model` finds a class by the name under which it is registered. Our
modules register theirs as they load, but `import tf_led` loads none of them, nor Keras.
So small stand-ins are registered once Keras is there, each of which loads its class.
"""

import importlib
import importlib.abc
import importlib.util
import json
import os
import sys
from pathlib import Path


def check_keras_backend():
    """Checks that Keras has, or will have, TensorFlow as its backend.

    Raises:
        ImportError: naming the backend and who chose it.

    Example:
        >>> from tf_led.utils.keras_backend import check_keras_backend
        >>> check_keras_backend()
    """
    backend, chosen_by = _backend()
    if backend not in (None, "tensorflow"):
        raise ImportError(
            f"tf_led needs Keras on TensorFlow, but {chosen_by} chooses the backend "
            f"{backend!r:.80}. Set KERAS_BACKEND=tensorflow before Python starts."
        )


def _backend():
    """Returns the name of the backend, or None for the default, and who chose it."""
    loaded = getattr(sys.modules.get("keras"), "config", None)
    if loaded is not None:
        return loaded.backend(), "the Keras that is loaded"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "KERAS_BACKEND"
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "keras.json")
    try:
        return json.loads(file.read_text(encoding="utf-8")).get("backend"), str(file)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None, ""  # Keras takes its default, too


def check_keras_objects(**arguments):
    """Checks that what `compile` or `fit` is given is Keras 3's.

    With TF_USE_LEGACY_KERAS=1, as the old classes needed, `tf.keras` is tf_keras.

    Args:
        **arguments: an object, or a list or dict of objects, by name.

    Raises:
        TypeError: naming the argument and the class.

    Example:
        >>> from tf_led.utils.keras_backend import check_keras_objects
        >>> check_keras_objects(optimizer="adam", callbacks=None)
    """
    for name, value in arguments.items():
        several = value.values() if isinstance(value, dict) else value
        several = several if isinstance(value, (dict, list, tuple)) else [value]
        for one in several:
            kind = one if isinstance(one, type) else type(one)
            if kind.__module__.partition(".")[0] == "tf_keras":
                raise TypeError(
                    f"`{name}` holds a {kind.__module__}.{kind.__qualname__}, of Keras "
                    "2. Take it from Keras 3: `import keras`, not `tf_keras`, nor "
                    "`tf.keras` where TF_USE_LEGACY_KERAS is set."
                )


# Every class under `register_keras_serializable(package="tf_led")`.
SERIALIZABLE = {
    "AdamW": "tf_led.training.schedules",
    "Normal": "tf_led.layers.initializers",
    "Zeros": "tf_led.layers.initializers",
    "TFLEDDecoder": "tf_led.models.backbone.decoder",
    "TFLEDEncoder": "tf_led.models.backbone.encoder",
    "TFLEDForConditionalGeneration": "tf_led.models.tasks.conditional_generation",
    "TFLEDForQuestionAnswering": "tf_led.models.tasks.question_answering",
    "TFLEDForSequenceClassification": "tf_led.models.tasks.sequence_classification",
    "TFLEDMainLayer": "tf_led.models.backbone.main_layer",
    "TFLEDModel": "tf_led.models.tasks.led_model",
    "TokenAccuracy": "tf_led.training.metrics",
    "WarmUp": "tf_led.training.schedules",
}


class StandIn:
    """Has `from_config`, all that Keras uses of a registered class.

    Args:
        name: str, a key of `SERIALIZABLE`.
    """

    def __init__(self, name):
        self.__name__ = name

    def from_config(self, config):
        """Loads the class, which takes this one's place, and makes an object of it."""
        module = importlib.import_module(SERIALIZABLE[self.__name__])
        return getattr(module, self.__name__).from_config(config)


class AfterKeras(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads Keras as it would be loaded, then registers the stand-ins."""

    def find_spec(self, fullname, path=None, target=None):
        """Returns the spec of Keras with this loader; None for any other name."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)  # which lets the next line find the real one
        spec = importlib.util.find_spec(fullname)
        if spec is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        """Makes the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module):
        """Runs the module under its own loader."""
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        register(module)


def register(keras):
    """Registers a stand-in for each of our classes that is not loaded.

    Args:
        keras: the module.
    """
    known = keras.saving.get_custom_objects()
    for name in SERIALIZABLE:
        known.setdefault(f"tf_led>{name}", StandIn(name))


def install_stand_ins():
    """Registers our classes now or, if Keras is not loaded yet, as soon as it is."""
    if "keras" in sys.modules:
        register(sys.modules["keras"])
    elif not any(isinstance(finder, AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterKeras())
