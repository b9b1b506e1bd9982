"""What `tf-led train` takes, and what of it a run must keep to the end."""

import hashlib
import importlib.util
import math
import os

from tf_led.cli.parser import (
    UsageError,
    add_attention_implementation,
    add_bfloat16_products,
    non_negative_int,
    number_between,
    plain_text,
    positive_int,
)

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# What may differ when a run goes on: all else decides the weights.
CHANGEABLE = (
    "attention_implementation",
    "force",
    "output",
    "save_steps",
    "tensorboard",
)


def add_arguments(parser):
    """Declares what `tf-led train` takes.

    Args:
        parser: argparse.ArgumentParser to add to.
    """
    add = parser.add_argument
    add("--train", required=True, metavar="F.jsonl", help="examples to learn from")
    add("--validation", metavar="F.jsonl", help="examples to measure on, every epoch")
    add("--model", metavar="DIR_OR_ID", help="a checkpoint; the bundled one if absent")
    add("--output", required=True, metavar="DIR", help="where the checkpoint goes")
    add_length_arguments(parser)
    add_data_arguments(parser.add_argument_group("data"))
    add_optimizer_arguments(parser.add_argument_group("optimizer"))
    add_run_arguments(parser.add_argument_group("way of running"))


def add_length_arguments(parser):
    add = parser.add_argument
    add("--epochs", type=positive_int, default=3, metavar="N", help="default 3")
    add("--max-steps", type=positive_int, metavar="N", help="stop after N batches")
    add(
        "--patience",
        type=positive_int,
        metavar="N",
        help="stop after N epochs without a better val_loss; keep the best epoch",
    )


def add_data_arguments(group):
    add = group.add_argument
    add("--batch-size", type=positive_int, default=2, metavar="N", help="default 2")
    add(
        "--max-source-length",
        type=positive_int,
        metavar="N",
        help="tokens of a document; default: as many as the model takes",
    )
    add("--max-target-length", type=positive_int, metavar="N", help="of a summary")
    add_key_arguments(group)
    add(
        "--pad-to-multiple-of",
        type=positive_int,
        metavar="N",
        help="for documents; default: the model's attention window",
    )
    add("--strict", action="store_true", help="a bad line is an error")


def add_key_arguments(group):
    """Declares where in a record the texts are, and which tokens are global.

    Args:
        group: argparse parser or group to add to.
    """
    add = group.add_argument

    def add_text(name, metavar, help, default=None):
        add(name, type=plain_text, default=default, metavar=metavar, help=help)

    add_text("--document-key", "KEY", "default document", "document")
    add_text("--summary-key", "KEY", "default summary", "summary")
    add_text("--question-key", "KEY", "of a question put before the document")
    add_text("--separator", "TOKEN", "put between documents given as a list")
    add_text("--source-prefix", "TEXT", "put before each document", "")
    add(
        "--global-tokens",
        choices=("first", "question", "separators"),
        default="first",
        help="which tokens see the whole document; default first",
    )


def add_optimizer_arguments(group):
    add = group.add_argument
    add("--learning-rate", type=number_between(0, math.inf), default=5e-5, metavar="X")
    add("--schedule", choices=("linear", "cosine", "constant"), default="linear")
    add(
        "--warmup-steps",
        type=non_negative_int,
        default=0,
        metavar="N",
        help="default 0",
    )
    add("--weight-decay", type=number_between(0, math.inf), default=0.01, metavar="X")
    add(
        "--clip-norm",
        type=number_between(0, math.inf),
        default=1.0,
        metavar="X",
        help="of the gradient; 0 for none; default 1",
    )
    add("--label-smoothing", type=number_between(0, 1), default=0.0, metavar="X")
    add(
        "--accumulation-steps",
        type=positive_int,
        default=1,
        metavar="N",
        help="batches to an update; default 1",
    )


def add_run_arguments(group):
    add = group.add_argument
    add(
        "--save-steps",
        type=positive_int,
        default=500,
        metavar="N",
        help="batches between two saves, beside the one after every epoch; default 500",
    )
    add("--seed", type=non_negative_int, default=0, metavar="N", help="default 0")
    add("--lora-rank", type=positive_int, metavar="N", help="train adapters only")
    add(
        "--freeze",
        action="append",
        default=[],
        metavar="NAME",
        help="weights that stay as they are: encoder, embeddings, global_projections, "
        "or any part of their path; may be given again",
    )
    add("--gradient-checkpointing", action="store_true", help="less memory, more time")
    add("--precision", choices=PRECISIONS, default="float32")
    add_attention_implementation(group)
    add_bfloat16_products(group)
    add("--jit-compile", action="store_true", help="by XLA, anew for every length")
    add("--workers", type=positive_int, default=1, metavar="N", help="processes here")
    add("--tensorboard", metavar="DIR", help="write logs for TensorBoard there")
    add(
        "--force",
        action="store_true",
        help="replace a checkpoint in --output that no run there has written",
    )


def check_together(args):
    """Checks options that need, or exclude, others.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: naming the option that cannot be met.
    """
    if args.patience and not args.validation:
        raise UsageError(f"--patience {args.patience}: needs --validation")
    if args.learning_rate == 0:
        raise UsageError("--learning-rate 0: nothing would be learnt")
    if args.weight_decay > 1 and args.learning_rate * args.weight_decay >= 1:
        raise UsageError(
            f"--weight-decay {args.weight_decay}: with --learning-rate "
            f"{args.learning_rate} every step would take more than all of a weight; "
            f"give less than {1 / args.learning_rate:g}"
        )
    if args.accumulation_steps > 1 and args.workers > 1:
        raise UsageError(
            f"--accumulation-steps {args.accumulation_steps}: not with --workers"
        )
    if args.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise UsageError(
            f"--tensorboard {args.tensorboard}: TensorBoard is not installed: "
            "pip install 'tf_led[train]'"
        )
    check_rule(args)


def check_rule(args):
    """Checks that a rule for global tokens has what it looks for.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: naming the option that is missing.
    """
    if args.global_tokens == "question" and not args.question_key:
        raise UsageError("--global-tokens question: needs --question-key")
    if args.global_tokens == "separators" and not args.separator:
        raise UsageError("--global-tokens separators: needs --separator")


def run_arguments(args):
    """The arguments that decide the weights: another value is another run.

    Args:
        args: the parsed arguments.

    Returns:
        Dict that JSON can say; files by what they hold, wherever they are.

    Raises:
        UsageError: for a file that cannot be read.
    """
    kept = {name: value for name, value in vars(args).items() if name not in CHANGEABLE}
    for name in ("train", "validation"):
        kept[name] = None if kept[name] is None else file_digest(name, kept[name])
    if os.path.isdir(args.model):
        kept["model"] = os.path.realpath(args.model)
    return kept


def file_digest(option, path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = os.strerror(error.errno).lower()
        raise UsageError(f"--{option} {path}: {reason}") from None


def to_command_line(args):
    """The command line again, for other processes.

    Args:
        args: the parsed arguments.

    Returns:
        List of str.

    Example:
        >>> import argparse
        >>> from tf_led.cli.train.arguments import to_command_line
        >>> to_command_line(argparse.Namespace(train="a.jsonl", strict=True, workers=2))
        ['train', '--train=a.jsonl', '--strict', '--workers=2']
    """
    words = ["train"]
    for name, value in vars(args).items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            values = value if isinstance(value, list) else [value]
            words += [f"{option}={one}" for one in values]
    return words


def check_same_run(args, differences):
    """Checks that a run goes on with the arguments that it began with.

    Args:
        args: the parsed arguments.
        differences: dict from name to (then, now).

    Raises:
        UsageError: naming the first that differs, if one does.
    """
    for name, (then, now) in differences.items():
        option = f"--{name.replace('_', '-')}"
        given = f"{option} {vars(args).get(name)}"
        if name in ("train", "validation") and then and now:
            raise UsageError(
                f"{given}: not the data that the run in {args.output} began with; "
                "choose another --output"
            )
        began = f"with {option} {then}" if then else f"without {option}"
        raise UsageError(
            f"{given if now else f'no {option}'}: the run in {args.output} began "
            f"{began}; give the same arguments, or another --output"
        )
