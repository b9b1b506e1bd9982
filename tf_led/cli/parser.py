"""How every sub-command reads its arguments."""

import argparse

from tf_led.cli.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An argument parser whose error is one line, in the form of all our errors.

    Args:
        **options: those of `argparse.ArgumentParser`.

    Example:
        >>> from tf_led.cli.parser import Parser
        >>> Parser(prog="tf-led toast").parse_args(["--burnt"])
        Traceback (most recent call last):
        tf_led.cli.errors.UsageError: unrecognized arguments: --burnt (see tf-led ...
    """

    def __init__(self, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message):
        raise UsageError(f"{message} (see {self.prog} --help)")


def positive_int(text):
    """Reads a whole number of at least 1.

    Args:
        text: str, as typed.

    Returns:
        int.

    Raises:
        argparse.ArgumentTypeError: for anything else, naming it.

    Example:
        >>> from tf_led.cli.parser import positive_int
        >>> positive_int("4")
        4
    """
    # Not int(text) alone, which also takes "1_000" and " 4 ".
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 1, got {text!r}"
        )
    return int(text)
