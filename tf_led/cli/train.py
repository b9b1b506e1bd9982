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

from tf_led.cli.bundled import model_or_bundled
from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    tell,
)
from tf_led.cli.errors import UsageError, blamed_on
from tf_led.cli.quiet import load_tensorflow
from tf_led.cli.train_arguments import (
    add_arguments,
    check_together,
    kept_arguments,
    refuse_difference,
)

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
    from tf_led.cli.workers import is_chief, num_workers, run_workers

    check_together(args)
    if args.workers > 1 and num_workers() == 1:
        if code := run_workers(as_words(args), args.workers):
            raise SystemExit(code)
        return
    args.model = model_or_bundled(args.model)
    check_checkpoint(args.model)
    load_tensorflow()
    from tf_led.training.run_folder import RunFolder

    if os.path.exists(args.output) and not os.path.isdir(args.output):
        raise UsageError(f"--output {args.output}: a file, not a directory")
    folder, arguments = RunFolder(args.output), kept_arguments(args)
    refuse_difference(args, folder.differences(arguments))
    result = folder.result()
    if result is None:
        result = train_in(folder, arguments, args, is_chief())
    else:
        tell(f"{args.output}: this run is complete, there is nothing to do")
    if is_chief():
        print(json.dumps(result), flush=True)


def as_words(args):
    """The command line again, for the workers."""
    words = ["train"]
    for name, value in vars(args).items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words.append(f"{option}={value}")
    return words


def train_in(folder, arguments, args, is_chief):
    """Trains in a folder that is kept from other runs; returns the results."""
    with contextlib.ExitStack() as stack:
        if is_chief:
            with blamed_on("--output"):
                stack.enter_context(folder.owned())
            folder.begin(arguments)
        loop = make_loop(folder, args, is_chief)
        with blamed_on("--output"):
            done = loop.restore()
        if done:
            tell(f"going on after step {done:,} of {loop.total_steps:,}")
        result = loop.run()
        if is_chief:
            tell_of_data(loop)
            folder.end(result)
        return result


def make_loop(folder, args, is_chief):
    import keras

    from tf_led.cli.train_data import choose_strategy, make_feed
    from tf_led.cli.train_loop import TrainingLoop, total_steps
    from tf_led.cli.train_model import make_model

    strategy = choose_strategy()  # before anything else of TensorFlow's is used
    keras.utils.set_random_seed(args.seed)
    tell(f"loading {args.model}")
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    options = {"cache_dir": folder.path / "data", "strategy": strategy}
    feed = make_feed(
        "train", args.train, tokenizer, config, args, shuffle=True, **options
    )
    validation = args.validation and make_feed(
        "validation", args.validation, tokenizer, config, args, shuffle=False, **options
    )
    with strategy.scope():
        model = load_model(args.model, dtype=args.precision)
        metrics = make_model(model, args, total_steps(feed, args))
    return TrainingLoop(
        model, metrics, tokenizer, feed, validation or None, folder, args, is_chief
    )


def tell_of_data(loop):
    for feed in (loop.feed, loop.validation):
        if feed is not None:
            tell(str(feed.encoded.report))
