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


def add_bfloat16_products(parser):
    """Declares `--bfloat16-products`, which sub-commands that compute take.

    Args:
        parser: argparse.ArgumentParser, or a group of one, to add to.

    Example:
        >>> from tf_led.cli.parser import Parser, add_bfloat16_products
        >>> parser = Parser(prog="tf-led toast")
        >>> add_bfloat16_products(parser)
        >>> parser.parse_args([]).bfloat16_products
        False
    """
    parser.add_argument(
        "--bfloat16-products",
        action="store_true",
        help="let matrix products of float32 numbers round their factors to bfloat16: "
        "faster on processors with AMX, without effect on others",
    )
