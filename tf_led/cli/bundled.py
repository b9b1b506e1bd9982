"""The model that is used where the user names none."""

import sys
from pathlib import Path

import tf_led
from tf_led.cli.errors import UsageError

BUNDLED = Path(tf_led.__file__).parent / "assets" / "bundled"
GOOD_FOR = "first sentences of documentation for Python source"
NOT_FOR = "prose, other languages, or anything that has to be right"


def model_or_bundled(model):
    """Chooses the checkpoint, and announces the bundled one.

    Args:
        model: str, what `--model` says, or None if it is not given.

    Returns:
        str, a directory or a Hub id.

    Raises:
        UsageError: if there is neither.

    Example:
        >>> from tf_led.cli.bundled import model_or_bundled
        >>> model_or_bundled("my/checkpoint")
        'my/checkpoint'
    """
    if model is not None:
        return model
    if not (BUNDLED / "config.json").is_file():
        raise UsageError("there is no bundled model: give --model DIR_OR_ID")
    print(
        f"tf-led: using the bundled model: good for {GOOD_FOR}, not for {NOT_FOR}",
        file=sys.stderr,
        flush=True,
    )
    return str(BUNDLED)
