"""TensorFlow without the lines that it writes to stderr while it loads."""

import contextlib
import os
import shutil
import sys
import tempfile


def load_tensorflow():
    """Imports TensorFlow; stderr stays ours unless the import fails.

    TF_CPP_MIN_LOG_LEVEL does not reach what its C++ libraries say as they load (oneDNN
    is on, there is no GPU), so the file descriptor itself is turned away meanwhile.

    Raises:
        ImportError: where TensorFlow cannot be loaded, after what it had to say.

    Example:
        >>> from tf_led.cli.quiet import load_tensorflow
        >>> load_tensorflow()
    """
    with hidden_stderr():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def hidden_stderr():
    """Keeps what file descriptor 2 gets; shows it if an exception ends the block."""
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # closed by who started us: nothing to hide
        yield
        return
    with os.fdopen(stderr, "wb") as shown, tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except Exception:  # Ctrl-C is no reason to show it
            hidden.seek(0)
            shutil.copyfileobj(hidden, shown)
            shown.flush()
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
