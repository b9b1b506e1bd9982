"""What has to be done differently for a version of a library, and for which.

The rest of tf_led is the same for every version that setup.cfg allows.
"""

from importlib.metadata import version

from huggingface_hub.errors import StrictDataclassFieldValidationError


def is_older(package, limit):
    """Whether the installed version of a package is older than a minor version.

    Args:
        package: str, the package's name.
        limit: tuple of int, such as (3, 13).

    Returns:
        bool.

    Example:
        >>> from tf_led.utils.versions import is_older
        >>> is_older("keras", (3, 12)), is_older("keras", (4, 0))
        (False, True)
    """
    major, minor = version(package).split(".")[:2]
    return (int(major), int(minor)) < limit


def config_from_dict(kind, fields, **overrides):
    """Makes a configuration of its fields.

    Before transformers 5.4, `from_dict` adds entries to the dict that it is given, and
    takes values of any type.

    Args:
        kind: a configuration class of transformers.
        fields: dict of values by name; not changed.
        **overrides: values in place of those in `fields`.

    Returns:
        An instance of `kind`.

    Raises:
        StrictDataclassFieldValidationError: from huggingface_hub, if a value is of
            another type than the field's; it names the field.

    Example:
        >>> from tf_led import LEDConfig
        >>> from tf_led.utils.versions import config_from_dict
        >>> config_from_dict(LEDConfig, {"d_model": 12}, dropout=0.3).dropout
        0.3
    """
    if is_older("transformers", (5, 4)):
        _check_types(kind().to_dict(), {**fields, **overrides})
    return kind.from_dict(dict(fields), **overrides)


def _check_types(defaults, fields):
    for name in defaults.keys() & fields.keys() - {"attention_window"}:
        value, default = fields[name], defaults[name]
        allowed = {float: (float, int)}.get(type(default), (type(default),))
        if type(default) in (int, float, bool, str) and type(value) not in allowed:
            cause = TypeError(
                f"Field {name!r} expected {type(default).__name__}, got "
                f"{type(value).__name__} (value: {value!r})"
            )
            raise StrictDataclassFieldValidationError(name, cause)


def rows_format():
    """Returns the format in which a `datasets.Dataset` gives its rows.

    With NumPy before 2, datasets cannot make arrays of a column in which some values
    are missing.

    Returns:
        str, for `datasets.Dataset.with_format`; None stands for Python's lists.

    Example:
        >>> from tf_led.utils.versions import rows_format
        >>> rows_format() in ("numpy", None)
        True
    """
    return None if is_older("numpy", (2, 0)) else "numpy"


def filters_option(filters):
    """Returns `filters` as `keras.Model.quantize` takes it.

    Before Keras 3.13 it has no such argument.

    Args:
        filters: None, or what `keras.Model.quantize` allows.

    Returns:
        dict of keyword arguments, empty for None.

    Raises:
        ValueError: if filters are given and Keras is older.

    Example:
        >>> from tf_led.utils.versions import filters_option
        >>> filters_option(None)
        {}
    """
    if filters is None:
        return {}
    if is_older("keras", (3, 13)):
        raise ValueError(
            f"`filters` is {filters!r}, which Keras {version('keras')} does not know. "
            "Install Keras 3.13 or newer, or leave it out."
        )
    return {"filters": filters}
