"""Epoch after epoch of `fit`, saved so that a killed run goes on where it was."""

import contextlib
import sys

import keras
import numpy as np
from tqdm import tqdm

from tf_led.checkpoints.disk.atomic import staged
from tf_led.checkpoints.errors import CheckpointError
from tf_led.cli.parser import UsageError
from tf_led.training.state import (
    load_state,
    read_variable,
    save_state,
    training_variables,
    write_variable,
)
from tf_led.training.steps import same_on_all


class Progress(keras.callbacks.Callback):
    """One bar for all epochs of a run.

    Args:
        total: int, steps of the whole run.
        done: int, those taken before.
        shown: bool, whether this process is the one to show it.
    """

    def __init__(self, total, done, shown=True):
        super().__init__()
        self.has_begun = False
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

    def on_train_batch_begin(self, batch, logs=None):
        """Says before the first step why it takes its time."""
        if not self.has_begun:
            self.write("compiling the training step ...")
        self.has_begun = True

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


START = {"epoch": 0, "step": 0, "history": [], "best": None, "waited": 0}


class TrainingLoop:
    """Trains a compiled model to the end, from wherever its run was.

    Every call of `fit` takes one epoch, or what is left of it. A save writes the
    checkpoint first and then the state: a run killed between the two repeats steps
    that it has taken already, and writes the same checkpoint again.

    Args:
        model: compiled TFLEDForConditionalGeneration.
        metrics: list of keras metrics that it was compiled with.
        tokenizer: LEDTokenizerFast, saved with the model.
        feed: Feed to learn from.
        validation: Feed to measure on, or None.
        folder: RunFolder.
        args: the parsed arguments.
        writes: bool, whether this process is the one that saves and reports.
    """

    def __init__(
        self, model, metrics, tokenizer, feed, validation, folder, args, writes
    ):
        self.model = model
        self.metrics = metrics
        self.tokenizer = tokenizer
        self.feed = feed
        self.validation = validation
        self.folder = folder
        self.args = args
        self.writes = writes
        self.record = dict(START)
        self.total_steps = total_steps(feed, args)

    def restore(self):
        """Goes back to the last save.

        Returns:
            int, steps taken until then; 0 if there is none.

        Raises:
            CheckpointError: if the state is damaged.
            UsageError: if another worker finds another state.
        """
        if self.args.patience and self.writes:
            self.folder.check_checkpoint()
        record = load_state(self.folder.path, self._variables())
        if record is not None:
            self.record = checked_record(record, self.folder.path)
        done = self._steps_done()
        if not same_on_all(done, self.model.distribute_strategy):
            raise UsageError(
                f"--output {self.folder.output}: not every worker finds the state of "
                f"this run there, {done:,} steps here: give a folder that all share"
            )
        return done

    def run(self):
        """Trains to the end.

        Returns:
            Dict of results.
        """
        # What an epoch broken off has measured so far; `fit` clears it at its start.
        measured = [read_variable(v) for v in self._metric_variables()]
        progress = Progress(self.total_steps, self._steps_done(), self.writes)
        callbacks = [Saver(self), KeepMeasured(self, measured), progress]
        if self.args.tensorboard and self.writes:
            callbacks.append(keras.callbacks.TensorBoard(self.args.tensorboard))
        if self._is_done() and self.writes and not self.args.patience:
            self._save_checkpoint()  # nobody knows what became of the last one
        with contextlib.closing(progress):  # before an error is told
            while not self._is_done():
                self._train_epoch(callbacks)
        return self._result()

    def _train_epoch(self, callbacks):
        epoch, first = self.record["epoch"], self.record["step"]
        stop = min(len(self.feed), self.total_steps - epoch * len(self.feed))
        history = self.model.fit(
            self.feed.epoch(epoch, first, stop),
            steps_per_epoch=stop - first,
            initial_epoch=epoch,
            epochs=epoch + 1,
            validation_data=self.validation and self.validation.epoch(0),
            validation_steps=self.validation and len(self.validation),
            callbacks=callbacks,
            shuffle=False,  # the feed has done it
            verbose=0,
        ).history
        logs = {name: _finite(values[-1]) for name, values in history.items()}
        self.record["history"] = [*self.record["history"], logs]
        self.record.update(epoch=epoch + 1, step=0)
        self.save(is_better=self._note_best(logs.get("val_loss")))

    def _note_best(self, loss):
        """Whether no epoch was better; without `--patience` any is good enough."""
        best = self.record["best"]
        is_better = best is None or (loss is not None and loss < best)
        if not self.args.patience or is_better:
            self.record.update(best=loss, waited=0)
            return True
        self.record["waited"] += 1
        return False

    def save(self, is_better):
        """Writes checkpoint and state.

        Args:
            is_better: bool, whether the checkpoint is to be replaced.

        Raises:
            UsageError: if training has come to nothing; what was saved before stays.
        """
        self._check_weights()
        if not self.writes:
            return
        with contextlib.ExitStack() as stack:
            if is_better and self.args.patience:
                stack.enter_context(self.folder.checkpoint_noted())
            if is_better:
                self._save_checkpoint()
            save_state(self.folder.path, self._variables(), self.record)

    def _save_checkpoint(self):
        with staged(self.folder.output) as staging:
            self.tokenizer.save_pretrained(staging.path)
        self.model.save_pretrained(self.folder.output)

    def _check_weights(self):
        for variable in self.model.trainable_variables:
            if not np.isfinite(read_variable(variable)).all():
                raise UsageError(
                    f"`{variable.path}` has become infinite or NaN: nothing can be "
                    f"learnt any more. Give less than --learning-rate "
                    f"{self.args.learning_rate}, and another --output"
                )

    def save_within_epoch(self, step):
        """Saves in the middle of an epoch.

        Args:
            step: int, batches of the epoch that are done.
        """
        self.record["step"] = step
        self.save(is_better=not self.args.patience)

    def _variables(self):
        return training_variables(self.model, [self._loss_metric(), *self.metrics])

    def set_measured(self, values):
        """Gives the metrics the values that they had, or none.

        Args:
            values: list of arrays, or None to start anew: `fit` does not clear a metric
                that no step has used yet, and it may come from a file.
        """
        variables = self._metric_variables()
        values = [np.zeros(v.shape) for v in variables] if values is None else values
        for variable, value in zip(variables, values, strict=True):
            write_variable(variable, value)

    def _metric_variables(self):
        metrics = [self._loss_metric(), *self.metrics]
        return [v for metric in metrics for v in metric.variables]

    def _loss_metric(self):
        return self.model.metrics[0]

    def _steps_done(self):
        return self.record["epoch"] * len(self.feed) + self.record["step"]

    def _is_done(self):
        patience = self.args.patience
        is_out_of_patience = patience and self.record["waited"] >= patience
        return is_out_of_patience or self._steps_done() >= self.total_steps

    def _result(self):
        history = self.record["history"]
        best = {"best_val_loss": self.record["best"]} if self.args.patience else {}
        return {
            "output": str(self.folder.output),
            "epochs": len(history),
            "steps": min(self._steps_done(), self.total_steps),
            **history[-1],
            **best,
            "history": history,
        }


class Saver(keras.callbacks.Callback):
    """Saves every so many steps.

    Args:
        loop: TrainingLoop.
    """

    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    def on_epoch_begin(self, epoch, logs=None):
        """Learns where in the epoch `fit` begins."""
        self.first = self.loop.record["step"]

    def on_train_batch_end(self, batch, logs=None):
        """Saves, unless the epoch's end is about to do so."""
        loop, step = self.loop, self.first + batch + 1
        done = loop.record["epoch"] * len(loop.feed) + step
        is_last = step == len(loop.feed) or done == loop.total_steps
        if done % loop.args.save_steps == 0 and not is_last:
            loop.save_within_epoch(step)


class KeepMeasured(keras.callbacks.Callback):
    """Goes on with the means of an epoch that was broken off.

    Args:
        loop: TrainingLoop.
        measured: list of arrays, the metrics' variables as they were saved.
    """

    def __init__(self, loop, measured):
        super().__init__()
        self.loop = loop
        self.measured = measured
        self.is_new = True

    def on_epoch_begin(self, epoch, logs=None):
        """Sets the metrics, once: to the saved values, or to 0 for a new epoch."""
        if self.is_new:
            measured = self.measured if self.loop.record["step"] else None
            self.loop.set_measured(measured)
        self.is_new = False


def _finite(value):
    """A number that JSON can say, or None: one overflow makes a mean NaN."""
    return float(value) if np.isfinite(value) else None


def checked_record(record, folder):
    """Checks what a state of version 0.1, which has no checksum, says of its run.

    Args:
        record: what `load_state` gave.
        folder: Path that it is from, for the message.

    Returns:
        `record`.

    Raises:
        CheckpointError: if it is not what a run writes.
    """
    is_right = isinstance(record, dict) and record.keys() == START.keys()
    if not is_right or any(
        not isinstance(record[name], type(START[name]))
        for name in ("epoch", "step", "history", "waited")
    ):
        raise CheckpointError(
            f"{folder}: the record of the run is damaged. Put an undamaged copy in its "
            "place, or delete the folder and give --force to begin anew."
        )
    return record


def total_steps(feed, args):
    """How many batches a whole run takes.

    Args:
        feed: Feed to learn from.
        args: the parsed arguments.

    Returns:
        int.
    """
    steps = args.epochs * len(feed)
    return steps if args.max_steps is None else min(steps, args.max_steps)
