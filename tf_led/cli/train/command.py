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
import warnings

from tf_led.checkpoints.disk.atomic import leads_into
from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    model_or_bundled,
    tell,
)
from tf_led.cli.outputs import check_folder, is_device
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
    check_tensorboard(args.tensorboard)
    check_checkpoint(args.model)
    folder, arguments = RunFolder(args.output), run_arguments(args)
    with blamed_on("--output"):
        differences, result = folder.differences(arguments), folder.result()
    check_same_run(args, differences)
    if result:
        with blamed_on("--output"):
            folder.check_checkpoint()
            folder.remove_leftovers()
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
    if leads_into(args.model, output):
        raise UsageError(
            f"--output {output}: the folder of the model that training begins with, or "
            "of files that it links to, which would be lost; give another"
        )
    for name in ("train", "validation"):
        path = getattr(args, name)
        if path is not None and is_device(path):
            raise UsageError(
                f"--{name} {path}: a pipe or a device, which cannot be read twice; "
                "give a file"
            )
        if path is not None and would_be_written(path, output):
            raise UsageError(
                f"--{name} {path}: training writes there, in --output {output}; move "
                "the file, or give another --output"
            )
    with blamed_on("--output"):
        RunFolder(output).check_names()
    others = [] if args.force else RunFolder(output).files_of_others()
    if others:
        raise UsageError(
            f"--output {output}: holds {others[0]}, and no {INSIDE}/ of a run that has "
            "written it; give another directory, or --force to replace it"
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
        if not args.patience:  # else the best one is noted, perhaps long ago
            folder.note_checkpoint()
        folder.end(result)
        return result


def check_tensorboard(logs):
    """Checks that TensorBoard's logs can be written; it makes their folder itself.

    Args:
        logs: str, what `--tensorboard` says, or None.

    Raises:
        UsageError: if not.
    """
    if logs == "":
        raise UsageError("--tensorboard: an empty name; give a directory")
    if logs is not None:
        for inside in ("train", "validation"):  # where Keras writes
            folder = os.path.join(logs, inside)
            check_folder(f"--tensorboard {logs}", folder)


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


def make_model(model, args, total_steps):
    """Freezes, adds adapters, turns on checkpointing, compiles.

    Args:
        model: TFLEDForConditionalGeneration, changed in place.
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        List of the keras metrics that it was compiled with.

    Raises:
        UsageError: for a name that no weight has, for a run of too few batches, and for
            what several replicas cannot do.
    """
    from tf_led.training.accumulation import build_optimizer
    from tf_led.training.metrics import TokenAccuracy

    for name in args.freeze:
        with blamed_on(f"--freeze {name}"):
            model.freeze(name)
    if args.lora_rank:
        with blamed_on(f"--lora-rank {args.lora_rank}"):
            model.enable_lora(args.lora_rank)
    if not model.trainable_variables:
        raise UsageError(
            f"--freeze {' '.join(args.freeze)}: no weight is left that would train"
        )
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    optimizer = make_optimizer(args, total_steps)
    check_replicas(args, optimizer, model.distribute_strategy.num_replicas_in_sync)
    metrics = [TokenAccuracy(model.config.pad_token_id)]
    model.compile(
        optimizer,
        metrics=metrics,
        jit_compile=args.jit_compile,
        label_smoothing=args.label_smoothing,
    )
    build_optimizer(model.optimizer, model.trainable_variables)  # in this scope
    return metrics


def check_replicas(args, optimizer, num_replicas):
    """Raises an error for what cannot be done over several GPUs or workers.

    Args:
        args: the parsed arguments.
        optimizer: Keras optimizer.
        num_replicas: int.

    Raises:
        UsageError: naming the option.
    """
    from tf_led.training.distribution import check_accumulation

    with blamed_on(f"--accumulation-steps {args.accumulation_steps}"):
        check_accumulation(optimizer, num_replicas)


def make_optimizer(args, total_steps):
    """Makes AdamW with the requested schedule.

    Args:
        args: the parsed arguments.
        total_steps: int, batches of the whole run.

    Returns:
        Keras optimizer.

    Raises:
        UsageError: for a run without an update, or shorter than its warm-up.
    """
    from tf_led.training.schedules import AdamW, WarmUp

    steps = args.accumulation_steps
    updates, rest = divmod(total_steps, steps)
    if not updates:
        raise UsageError(
            f"--accumulation-steps {steps}: the whole run has {total_steps:,} batches, "
            "too few for an update"
        )
    if rest:
        tell(f"the last {rest:,} of {total_steps:,} batches make no whole update")
    if args.warmup_steps > updates:
        raise UsageError(
            f"--warmup-steps {args.warmup_steps}: the whole run has {updates:,} updates"
        )
    schedule = WarmUp(args.learning_rate, updates, args.warmup_steps, args.schedule)
    return AdamW(
        schedule,
        weight_decay=args.weight_decay,
        global_clipnorm=args.clip_norm or None,
        gradient_accumulation_steps=None if steps == 1 else steps,
    )
