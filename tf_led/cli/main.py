"""The command `tf-led`: finds the sub-command, runs it, turns its end into a code.

Results go to stdout, progress and messages to stderr. Exit codes: 0, 2 for a user's
mistake, 1 when the system fails (a full disk), 130 after Ctrl-C, 141 when the reader of
stdout went away.
"""

import contextlib
import importlib
import os
import sys
import warnings

import tf_led
from tf_led.cli.parser import Parser, UsageError, check_backend

COMMANDS = {
    "summarize": "tf_led.cli.summarize",
    "convert": "tf_led.cli.convert",
    "train": "tf_led.cli.train.command",
    "evaluate": "tf_led.cli.evaluate",
    "export": "tf_led.cli.export",
}


def main(argv=None):
    """Runs `tf-led`.

    Args:
        argv: list of str without the program's name. None: those of the process.

    Returns:
        The exit code, int.

    Raises:
        SystemExit: after `--help` and `--version`, with code 0.

    Example:
        >>> from tf_led.cli.main import main
        >>> main(["summarize", "--num-beams", "0", "--model", "here", "notes.txt"])
        2
    """
    try:
        prepare_streams()
        with plain_warnings():
            run(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()  # here, where a reader that went away is still caught
    except UsageError as error:
        print(f"tf-led: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tf-led: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        drop_stdout()
        return 141
    except OSError as error:
        drop_stdout()
        print(f"tf-led: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of a library in Rust
            raise
        print(f"tf-led: the tokenizer gave up: {error}", file=sys.stderr)
        return 2
    return 0


def run(argv):
    """Hands the arguments after the sub-command's name to its module."""
    if not argv or argv[0] not in COMMANDS:
        top_parser().parse_args(argv)
    module = importlib.import_module(COMMANDS[argv[0]])
    parser = Parser(
        prog=f"tf-led {argv[0]}",
        description=module.__doc__,
        epilog=f"examples:\n{module.EXAMPLES}",
    )
    module.add_arguments(parser)
    words = getattr(module, "join_words", list)(argv[1:])
    # Intermixed takes FILE --model DIR FILE, but loses sight of `--`.
    parse = parser.parse_args if "--" in words else parser.parse_intermixed_args
    args = parse(words)
    check_backend()  # before anything is announced
    if getattr(args, "bfloat16_products", False):
        switch_products()
    module.run(args)


def switch_products():
    """Does what `--bfloat16-products` asks for, while TensorFlow is not yet loaded."""
    try:
        tf_led.use_bfloat16_products()
    except RuntimeError as error:
        raise UsageError(f"--bfloat16-products: {error}") from error


def top_parser():
    listed = "\n".join(
        f"  {name:<12}{importlib.import_module(module).HELP}"
        for name, module in COMMANDS.items()
    )
    parser = Parser(
        prog="tf-led",
        usage="tf-led [--help] [--version] COMMAND ...",
        description=f"LED for TensorFlow and Keras 3.\n\ncommands:\n{listed}",
        epilog="`tf-led COMMAND --help` shows what a command takes, with an example.",
    )
    parser.add_argument("--version", action="version", version=version())
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    return parser


def version():
    return f"tf-led {tf_led.__version__}"


def prepare_streams():
    """Text leaves as it came in, UTF-8 with its own newlines; stderr is ours alone."""
    if sys.stderr is None:  # closed: print would fall back to stdout
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        raise UsageError("standard output is closed: no place for the result")
    if hasattr(sys.stdout, "reconfigure"):
        # A path that is not UTF-8 leaves as the bytes that it came in.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow loads
    # "PyTorch was not found", says transformers, "models won't be available".
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


@contextlib.contextmanager
def plain_warnings():
    """Shows a warning of the library as a line of ours, without where it came from."""

    def show(message, *place, **more):
        print(f"tf-led: warning: {' '.join(str(message).split())}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def drop_stdout():
    """Lets the interpreter flush stdout at exit without a second complaint."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError):  # one that has no file descriptor
        os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


if __name__ == "__main__":
    sys.exit(main())
