"""Workers that end with the process that started them, even if that one is killed.

They would train on, and keep the folder of the run from whoever starts it again.
"""

import os
import threading

MARK = "TF_LED_ENDS_WITH_STDIN"


def end_with_parent():
    """Ends this process as soon as its standard input does, if `MARK` asks for it.

    Whoever starts a process with a pipe that nothing is written to, and `MARK` in its
    environment, takes it along: the system closes the pipe, however the starter ends.

    Example:
        >>> from tf_led.training.parent import end_with_parent
        >>> end_with_parent()  # nobody asks for it here
    """
    if os.environ.pop(MARK, None):  # not for what this process starts in turn
        threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end():
    while os.read(0, 1):
        pass
    os._exit(1)  # the main thread may be waiting for other workers
