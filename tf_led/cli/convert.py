"""Turn a checkpoint into another: a LED into another format, a BART into a LED.

SRC is a checkpoint's directory or a Hub id, DEST a directory, new or empty. It gets the
configuration, the weights, and the tokenizer where SRC has one. The paths of the files
with weights go to stdout, progress goes to stderr. A LED keeps positions and windows
unless an option says otherwise; a BART's positions are copied until there are enough.
"""

import os
import sys
import tempfile
import warnings
from pathlib import Path

from tf_led.checkpoints.disk.atomic import leads_into, own_entries
from tf_led.checkpoints.formats.registry import FORMATS
from tf_led.cli.checkpoint import could_be_hub_id
from tf_led.cli.outputs import check_folder
from tf_led.cli.parser import UsageError, load_tensorflow, positive_int

HELP = "change a checkpoint's format, or make a LED of a BART"
EXAMPLES = """\
  tf-led convert old/checkpoint new/checkpoint
  tf-led convert my/checkpoint for-tensorflow-4.57 --to h5
  tf-led convert my/checkpoint longer --max-positions 32768 --attention-window 512
  tf-led convert facebook/bart-base my/led --attention-window 1024 \\
      --max-positions 16384
"""
# What `--to` takes: the endings of the formats that somebody opens.
CHOICES = {row.ending[1:]: kind for kind, row in FORMATS.items() if row.readers}
# Of a LED made of a BART, unless an option says otherwise.
BART_SIZES = {"attention_window": 1024, "max_positions": 16384}


def add_arguments(parser):
    """Declares what `tf-led convert` takes.

    Args:
        parser: argparse.ArgumentParser to add to.
    """
    parser.add_argument("source", metavar="SRC", help="a checkpoint or a Hub id")
    parser.add_argument("destination", metavar="DEST", help="a directory to write to")
    parser.add_argument(
        "--to",
        choices=CHOICES,
        default="safetensors",
        help="; ".join(f"{to}: {FORMATS[kind].readers}" for to, kind in CHOICES.items())
        + "; default safetensors",
    )
    parser.add_argument(
        "--attention-window",
        type=positive_int,
        metavar="N",
        help="the whole window of every encoder layer, even (a BART: 1024)",
    )
    parser.add_argument(
        "--max-positions",
        type=positive_int,
        metavar="N",
        help="the longest document, in tokens (a BART: 16384)",
    )
    parser.add_argument(
        "--max-decoder-positions",
        type=positive_int,
        metavar="N",
        help="the longest text that the decoder writes, in tokens",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write to DEST though it is not empty; weights there are replaced",
    )


def run(args):
    """Converts one checkpoint, and prints the files with its weights.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used; DEST is
            then as it was.
    """
    check_destination(args)
    check_source(args.source)
    tell(f"loading {args.source}")
    load_tensorflow()
    from tensorflow.errors import ResourceExhaustedError

    try:
        convert(args)
    except (MemoryError, ResourceExhaustedError) as error:
        reason = f"too large for the memory here: {' '.join(str(error).split()):.200}"
        raise UsageError(f"{args.source}: {reason}") from error
    except (ValueError, FileNotFoundError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{blamed(args, error)}: {reason}") from error
    for file in written(args.destination, args.to):
        print(file)


def convert(args):
    """Does the work of `run`."""
    from tf_led.checkpoints.convert.bart import convert_bart
    from tf_led.checkpoints.convert.configs import is_allenai
    from tf_led.checkpoints.hub.source import open_source

    source = open_source(args.source)
    fields = source.read_json("config.json")
    if fields.get("model_type") != "bart" or is_allenai(fields):
        convert_led(source, args)
        return
    sizes = {name: getattr(args, name) or size for name, size in BART_SIZES.items()}
    sizes["max_decoder_positions"] = args.max_decoder_positions
    kind = CHOICES[args.to]
    if FORMATS[kind].write is not None:
        convert_bart(args.source, args.destination, kind=kind, **sizes)
        return
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        convert_bart(args.source, folder, kind="safetensors", **sizes)
        # Reported already, of SRC.
        warnings.filterwarnings("ignore", ".*NaN or infinite")
        args.attention_window = args.max_positions = args.max_decoder_positions = None
        convert_led(open_source(folder), args)


def convert_led(source, args):
    """Loads a LED, edits it as the options say, and writes it."""
    from tf_led.checkpoints.disk.atomic import staged
    from tf_led.checkpoints.formats.replace import remove_other_weights

    model = load_led(source, args.to)
    model.resize_position_embeddings(
        args.max_positions, decoder_positions=args.max_decoder_positions
    )
    if args.attention_window is not None:
        model.set_attention_window(args.attention_window)
    tell(f"writing {args.destination}")
    with staged(args.destination) as staging:
        write(model, staging, args.to)
        remove_other_weights(staging)
        source.copy_tokenizer(staging.path, args.max_positions)


def load_led(source, to):
    """Loads a LED with the head that it was saved with, in the dtype of its file."""
    import tf_led
    from tf_led.checkpoints.formats.registry import open_weights

    tensors = open_weights(source.weights)
    name = head_of(source.read_json("config.json"), tensors)
    dtypes = {tensor.dtype for tensor in tensors.values()}
    is_half = len(dtypes) == 1 and dtypes <= {"float16", "bfloat16"}
    # Of a .keras file the dtype is also what it computes in: that stays float32.
    options = {"dtype": dtypes.pop()} if is_half and to != "keras" else {}
    model, report = getattr(tf_led, name).from_pretrained(
        source.name, output_loading_info=True, **options
    )
    missing = report["missing_keys"]
    if missing:
        raise UsageError(
            f"{source.name}: lacks {len(missing)} weights, {missing[0]} among them; "
            "the result would hold random numbers"
        )
    return model


def head_of(fields, keys):
    """Names the class of a checkpoint: what its config says, or what its weights are.

    Args:
        fields: dict of config.json.
        keys: the names of its weights.

    Returns:
        str, one of our model classes.

    Example:
        >>> from tf_led.cli.convert import head_of
        >>> head_of({"architectures": ["LEDModel"]}, [])
        'TFLEDModel'
        >>> head_of({}, ["led.shared.weight", "qa_outputs.bias"])
        'TFLEDForQuestionAnswering'
    """
    import tf_led

    for name in fields.get("architectures") or []:
        name = f"TF{str(name).removeprefix('TF')}"
        if name in tf_led.__all__:
            return name
    heads = {
        "qa_outputs": "TFLEDForQuestionAnswering",
        "classification_head": "TFLEDForSequenceClassification",
    }
    for part, name in heads.items():
        if any(part in key for key in keys):
            return name
    return "TFLEDForConditionalGeneration"


def write(model, staging, to):
    """Writes weights and configs in one of `CHOICES` into a save."""
    import keras

    from tf_led.models.pretrained.save_pretrained import write_checkpoint, write_configs

    row = FORMATS[CHOICES[to]]
    if row.write is None:
        # Not the model's own, which stages its file once more.
        keras.Model.save(model, staging.path / row.file)
        write_configs(model, staging.path, model.weight_table())
    else:
        write_checkpoint(model, staging, kind=CHOICES[to])


def written(folder, to):
    """The files with weights of one of `CHOICES` in a folder, sorted."""
    return sorted(Path(folder).glob(f"*.{to}"))


KERAS = FORMATS["keras"]
KERAS_HINT = f"; {KERAS.advice}, and call save_pretrained"


def blamed(args, error):
    """Returns that of SRC and DEST which an error is about."""
    source, folder = Path(args.source).absolute(), Path(args.destination).absolute()
    place = Path(getattr(error, "filename", None) or source).absolute()
    if place.is_relative_to(source):
        return args.source
    # Of a DEST that cannot be made, the directory above may be the one that is named.
    is_there = folder.is_relative_to(place) or place.is_relative_to(folder)
    return args.destination if is_there else args.source


def check_destination(args):
    """Checks that DEST can be written to and holds nothing yet."""
    folder = Path(args.destination)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"{folder}: a file, not a directory")
    if leads_into(args.source, folder):
        raise UsageError(
            f"{folder}: is SRC, or holds files that SRC links to; convert to another "
            "directory"
        )
    check_folder(folder, folder)
    if os.path.isdir(folder) and own_entries(folder) and not args.force:
        raise UsageError(f"{folder}: not empty; --force writes to it all the same")


def check_source(source):
    """Checks that SRC is a directory with a config, or a Hub id."""
    folder = Path(source)
    if os.path.isdir(source):
        if not (folder / "config.json").is_file():
            hint = KERAS_HINT if any(folder.glob(f"*{KERAS.ending}")) else ""
            raise UsageError(f"{source}: no config.json in it{hint}")
    elif os.path.exists(source):
        hint = KERAS_HINT if folder.suffix == KERAS.ending else ""
        raise UsageError(f"{source}: a file, not a checkpoint's directory{hint}")
    elif not could_be_hub_id(source):
        raise UsageError(f"{source}: no such directory")


def tell(message):
    print(f"tf-led: {message}", file=sys.stderr, flush=True)
