"""Checks that Keras runs on TensorFlow, before it is loaded."""

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
