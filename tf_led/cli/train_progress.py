"""The progress of training on stderr: steps, loss, and when it will be done."""

import sys

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """One bar for all epochs of a run.

    Args:
        total: int, steps of the whole run.
        done: int, those taken before.
        shown: bool, whether this process is the one to show it.
    """

    def __init__(self, total, done, shown=True):
        super().__init__()
        is_terminal = sys.stderr.isatty()
        self.bar = tqdm(
            total=total,
            initial=done,
            desc="training",
            unit="step",
            file=sys.stderr,
            disable=not shown,
            # A log file gets a line now and then instead of a moving one.
            mininterval=0.1 if is_terminal else 10,
            dynamic_ncols=is_terminal,
        )

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar on."""
        if loss := (logs or {}).get("loss"):
            self.bar.set_postfix(loss=f"{float(loss):.4f}", refresh=False)
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        """Says what the epoch came to."""
        parts = [f"{name} {float(value):.4f}" for name, value in (logs or {}).items()]
        self.write(f"epoch {epoch + 1}: {', '.join(parts)}")

    def write(self, message):
        """Writes a line that the bar does not run over.

        Args:
            message: str.
        """
        if not self.bar.disable:
            self.bar.write(f"tf-led: {message}", file=sys.stderr)

    def close(self):
        """Ends the bar's line."""
        self.bar.close()
