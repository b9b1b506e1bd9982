"""Where the command `tf-led` begins: Ctrl-C is one line from the first import on."""

import os
import signal


def stop(*_):
    """Ends the process, in which nothing has begun that would have to be undone."""
    os.write(2, b"tf-led: interrupted\n")
    os._exit(130)


def main():
    """Imports the command and runs it.

    Returns:
        The exit code, int, as `tf_led.cli.main.main` documents it.
    """
    before = signal.signal(signal.SIGINT, stop)
    from tf_led.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    return run()
