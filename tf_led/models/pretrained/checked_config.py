"""A model's config, of which a part says what was built and may not change."""

from tf_led.models.config import LEDConfig, built_fields, check_unchanged


def _get_config(model) -> LEDConfig:
    """The LEDConfig; what was read while the model was built stays as it was."""
    if "_config" not in model.__dict__:
        raise AttributeError("config")  # Keras reads before it sets
    return model.__dict__["_config"]


def _set_config(model, value: LEDConfig) -> None:
    model.__dict__["_config"] = value
    led = model.__dict__.get("led")
    for part in () if led is None else (led, led.encoder, led.decoder):
        part.config = value


config = property(_get_config, _set_config)


def remember_config(model, *names: str) -> None:
    """Keeps the fields that the weights were made for; see `check_config`.

    Args:
        *names: str, those fields alone; none for all of them.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.config.dropout = 0.5
        >>> model.remember_config("dropout")
        >>> model.check_config()
    """
    fields = built_fields(model.config)
    kept = model.__dict__.get("_built_fields", fields)
    changed = {name: fields[name] for name in names or fields if name in fields}
    # Not by assignment: Keras would track the dict.
    model.__dict__["_built_fields"] = {**kept, **changed}


def check_config(model) -> None:
    """Checks that the config says what was built.

    Calls, `generate`, `fit` and its kin and all that saves do so first.

    Raises:
        ValueError: naming a field that was changed since, and what to do.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.config.dropout = 0.5
        >>> model.check_config()
        Traceback (most recent call last):
        ValueError: `model.config.dropout` was set to 0.5, but the model was ...
    """
    check_unchanged(model.config, model.__dict__["_built_fields"])
