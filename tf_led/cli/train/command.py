"""Fine-tune a LED checkpoint on documents and their summaries.

F.jsonl holds one JSON object a line, {"document": "...", "summary": "..."}, in UTF-8.
Lines that cannot be used are left out with their number and the reason. DIR becomes a
checkpoint that from_pretrained opens. A run that was killed goes on when the same
command is given again, to the same weights. Progress goes to stderr, a line of JSON
with the results to stdout.
"""

import contextlib
import json
import os
import random
import sys
import tempfile
import warnings

from tf_led.checkpoints.disk.paths import same_place
from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    model_or_bundled,
    tell,
)
from tf_led.cli.parser import UsageError, blamed_on, load_tensorflow
from tf_led.cli.train.arguments import (
    add_arguments,
    check_same_run,
    check_together,
    run_arguments,
    to_command_line,
)
from tf_led.training.run_folder import CHECKPOINT_SUFFIXES, INSIDE, RunFolder

__all__ = ["EXAMPLES", "HELP", "add_arguments", "run"]

HELP = "fine-tune a checkpoint"
EXAMPLES = """\
  tf-led train --train train.jsonl --output tuned
  tf-led train --train train.jsonl --validation validation.jsonl --output tuned \\
      --model allenai/led-base-16384 --max-source-length 8192 --epochs 3 \\
      --gradient-checkpointing --precision mixed_bfloat16
"""


def run(args):
    """Trains, or goes on training.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used.
        SystemExit: with a worker's exit code, if one of several fails.
    """
    check_together(args)
    args.model = model_or_bundled(args.model)
    check_output(args)
    check_checkpoint(args.model)
    folder, arguments = RunFolder(args.output), run_arguments(args)
    with blamed_on("--output"):
        differences, result = folder.differences(arguments), folder.result()
    check_same_run(args, differences)
    if result:
        tell(f"{args.output}: this run is complete, there is nothing to do")
        print(json.dumps(result), flush=True)
        return
    load_tensorflow()
    from tf_led.training.workers import num_workers, run_workers, worker_index

    with blamed_on(f"--workers {args.workers}"):
        number = num_workers()
    if args.workers > 1 and number not in (1, args.workers):
        raise UsageError(f"--workers {args.workers}: TF_CONFIG names {number}")
    if args.workers > 1 and number == 1:
        command = [sys.executable, "-m", "tf_led.cli.main", *to_command_line(args)]
        code = run_workers(command, args.workers)
        if code < 0:
            tell(f"a worker was ended by signal {-code}; the same command goes on")
        if code:
            raise SystemExit(code if code > 0 else 128 - code)
    elif worker_index() == 0:
        print(json.dumps(train_and_save(folder, arguments, args)), flush=True)
    else:
        train_as_further_worker(folder, args)


def check_output(args):
    """Checks that the output can be a folder, and that nothing read lies in its way.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: naming the option.
    """
    output = args.output
    if not output:
        raise UsageError("--output: an empty name; give a directory")
    if os.path.exists(output) and not os.path.isdir(output):
        raise UsageError(f"--output {output}: a file, not a directory")
    if same_place(output, args.model):
        raise UsageError(
            f"--output {output}: the folder of the model that training begins with, "
            "which would be lost; give another"
        )
    for name in ("train", "validation"):
        path = getattr(args, name)
        if path is not None and would_be_written(path, output):
            raise UsageError(
                f"--{name} {path}: training writes there, in --output {output}; move "
                "the file, or give another --output"
            )


def would_be_written(path, output):
    """Whether a file has a name that training, or a checkpoint, may write to."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(output))
    folder, name = os.path.split(inside)
    if folder == "":
        return os.path.splitext(name)[1] in CHECKPOINT_SUFFIXES
    return folder.split(os.sep)[0] == INSIDE


def train_and_save(folder, arguments, args):
    """Trains in a folder that is kept from other runs; returns the results."""
    with contextlib.ExitStack() as stack:
        with blamed_on("--output"):
            stack.enter_context(folder.owned())
        check_tensorboard(args.tensorboard)
        tell(f"loading {args.model}")
        loop = make_loop(folder, args, writes=True)
        with blamed_on("--output"):
            folder.begin(arguments)  # not before all of them have proved of use
            done = loop.restore()
        if done:
            tell(f"going on after step {done:,} of {loop.total_steps:,}")
        result = loop.run()
        for feed in filter(None, (loop.feed, loop.validation)):
            tell(str(feed.encoded.report))
        folder.end(result)
        return result


def check_tensorboard(logs):
    """Raises an error at once for a folder that TensorFlow could not write to."""
    if logs is not None:
        with blamed_on(f"--tensorboard {logs}"):
            os.makedirs(logs, exist_ok=True)
            tempfile.TemporaryFile(dir=logs).close()


def train_as_further_worker(folder, args):
    """Does a further worker's part: it says and writes nothing."""
    warnings.showwarning = lambda *ignored, **more: None
    loop = make_loop(folder, args, writes=False)
    with blamed_on("--output"):
        loop.restore()
    loop.run()


def make_loop(folder, args, writes):
    """Reads the data, loads the model and compiles it.

    Args:
        folder: RunFolder.
        args: the parsed arguments.
        writes: bool, whether this process is the one that saves and reports.

    Returns:
        TrainingLoop, not yet restored.
    """
    import numpy as np

    from tf_led.cli.train.data import make_feed
    from tf_led.cli.train.loop import TrainingLoop, total_steps
    from tf_led.cli.train.model import make_model
    from tf_led.training.workers import make_strategy

    strategy = make_strategy()  # before anything is computed
    random.seed(args.seed)  # whence Keras draws the seeds of layers and initialisers
    np.random.seed(args.seed % 2**32)
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    feeds = [
        path
        and make_feed(
            option,
            path,
            tokenizer,
            config,
            args,
            cache_dir=folder.path / "data",
            strategy=strategy,
            shuffle=option == "train",
        )
        for option, path in (("train", args.train), ("validation", args.validation))
    ]
    with strategy.scope():
        model = load_model(
            args.model,
            dtype=args.precision,
            attention_implementation=args.attention_implementation,
        )
        metrics = make_model(model, args, total_steps(feeds[0], args))
    return TrainingLoop(model, metrics, tokenizer, *feeds, folder, args, writes)
