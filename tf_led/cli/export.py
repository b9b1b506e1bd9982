"""Write a checkpoint as a SavedModel for TensorFlow Serving.

Each run adds the next numbered folder to DEST: DEST/1, then DEST/2 and so on, whole at
once. Its path goes to stdout. The model takes texts and gives texts: tokenising, global
attention on the first token, generation and detokenising are all inside. What
generation does follows the checkpoint's own generation config unless an option
overrides it.
"""

import argparse
import contextlib
import os

from tf_led.checkpoints.disk.atomic import same_place
from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    tell,
)
from tf_led.cli.outputs import check_folder
from tf_led.cli.parser import (
    UsageError,
    add_attention_implementation,
    blamed_on,
    load_tensorflow,
    non_negative_int,
    positive_int,
)

HELP = "write a SavedModel for TensorFlow Serving"
EXAMPLES = """\
  tf-led export allenai/led-base-16384 served/led --num-beams 4 --max-new-tokens 256
  tf-led export my/checkpoint served/led --quantize int8
  tf-led export my/checkpoint served/led --do-sample --temperature 0.7 --seed 1
"""


def add_arguments(parser):
    """Declares what `tf-led export` takes.

    Args:
        parser: argparse.ArgumentParser to add to.
    """
    parser.add_argument("model", metavar="MODEL", help="a checkpoint or a Hub id")
    parser.add_argument("dest", metavar="DEST", help="the folder of the versions")
    parser.add_argument(
        "--num-beams", type=positive_int, metavar="N", help="1 is greedy search"
    )
    parser.add_argument(
        "--max-new-tokens",
        type=positive_int,
        metavar="N",
        help="the longest result; a request can ask for less",
    )
    parser.add_argument(
        "--length-penalty", type=number, metavar="X", help="above 0 favours long ones"
    )
    parser.add_argument(
        "--do-sample", action="store_true", default=None, help="draw tokens"
    )
    parser.add_argument(
        "--temperature", type=number, metavar="X", help="of sampling; 1 if not given"
    )
    parser.add_argument(
        "--seed",
        type=non_negative_int,
        metavar="N",
        help="of sampling; if not given, every request draws its own",
    )
    parser.add_argument(
        "--global-attention",
        choices=("first", "none"),
        default="first",
        help="what sees the whole document: its first token, which is the default",
    )
    add_attention_implementation(parser)
    parser.add_argument("--xla", action="store_true", help="add signatures under XLA")
    parser.add_argument(
        "--quantize", choices=("int8",), help="weights of a quarter of the size"
    )
    parser.add_argument(
        "--warmup",
        action="store_true",
        help="add a request that the server makes to itself before it takes others",
    )


def number(text):
    """Reads a finite number.

    Args:
        text: str, as typed.

    Returns:
        float.

    Raises:
        argparse.ArgumentTypeError: for anything else, naming it.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if abs(value) == float("inf") or value != value:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}")
    return value


def run(args):
    """Exports, and prints the path of the folder.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used.
    """
    if os.path.exists(args.dest) and not os.path.isdir(args.dest):
        raise UsageError(f"DEST {args.dest}: a file, not a folder for versions")
    if same_place(args.dest, args.model):
        raise UsageError(f"DEST {args.dest}: is MODEL; export to another folder")
    check_folder(f"DEST {args.dest}", args.dest)
    with named_model():
        check_checkpoint(args.model)
    tell(f"loading {args.model}")
    load_tensorflow()
    with named_model():
        config, tokenizer = load_config_and_tokenizer(args.model)
        check_vocabulary(args.model, tokenizer, config.vocab_size)
        model = load_model(
            args.model, attention_implementation=args.attention_implementation
        )
    tell(f"exporting to {args.dest}")
    with blamed_on(f"exporting {args.model}"):
        print(write(model, tokenizer, args))


@contextlib.contextmanager
def named_model():
    """Calls the checkpoint MODEL in errors that name the option `--model`."""
    try:
        yield
    except UsageError as error:
        raise UsageError(str(error).replace("--model ", "MODEL ", 1)) from error


def write(model, tokenizer, args):
    from tf_led import export_saved_model

    names = ("num_beams", "max_new_tokens", "length_penalty", "do_sample")
    names += ("temperature", "seed")
    given = {name: getattr(args, name) for name in names}
    try:
        return export_saved_model(
            model,
            args.dest,
            tokenizer,
            global_attention=args.global_attention,
            xla=args.xla,
            quantize=args.quantize,
            warmup=args.warmup,
            **{name: value for name, value in given.items() if value is not None},
        )
    except ImportError as error:
        raise UsageError(f"--warmup: {error}") from error
