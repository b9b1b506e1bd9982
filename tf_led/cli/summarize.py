"""Summarise text files with a LED checkpoint.

Each FILE is read as UTF-8 text, as it is. Its summary goes to stdout, followed by one
newline; progress goes to stderr. What generation does follows the checkpoint's own
generation config unless an option overrides it. A document that is longer than the
model's limit is summarised part by part, and the parts' summaries again, until one
summary is left (--long-documents split).
"""

import contextlib
import json
import time

from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_new_tokens,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    model_or_bundled,
    tell,
)
from tf_led.cli.documents import read_documents
from tf_led.cli.global_tokens import GlobalTokens, join_words, parse_rule
from tf_led.cli.outputs import check_file, open_file
from tf_led.cli.parser import (
    UsageError,
    add_attention_implementation,
    add_bfloat16_products,
    blamed_on,
    load_tensorflow,
    positive_int,
)

__all__ = ["EXAMPLES", "HELP", "add_arguments", "join_words", "run"]

HELP = "summarise text files"
EXAMPLES = """\
  tf-led summarize report.txt --model allenai/led-large-16384-arxiv --num-beams 4
  cat report.txt | tf-led summarize - --model my/checkpoint --max-new-tokens 128
  tf-led summarize report.txt --model my/checkpoint \\
      --global-tokens all-of "What happened?"
  tf-led summarize book.txt --summary-tokens 500 --part-summaries parts.jsonl
"""


def add_arguments(parser):
    """Declares what `tf-led summarize` takes.

    Args:
        parser: argparse.ArgumentParser to add to.
    """
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a text file; - is standard input"
    )
    parser.add_argument(
        "--model", metavar="DIR_OR_ID", help="a checkpoint; the bundled one if absent"
    )
    parser.add_argument(
        "--num-beams", type=positive_int, metavar="N", help="1 is greedy search"
    )
    parser.add_argument(
        "--max-new-tokens", type=positive_int, metavar="N", help="the longest summary"
    )
    parser.add_argument(
        "--global-tokens",
        type=parse_rule,
        default=GlobalTokens(text=None),
        metavar='first|all-of "TEXT"',
        help="what sees the whole document: its first token, which is the default, "
        "or every token of every occurrence of TEXT",
    )
    long = parser.add_argument_group("documents beyond the model's limit")
    long.add_argument(
        "--long-documents",
        choices=METHODS,
        default="split",
        help="split: summarise parts that end with a paragraph or a sentence, and the "
        "joined summaries again (the default); fuse: encode overlapping parts, one "
        "decoder reads all, memory grows with the document; cut: leave out the rest",
    )
    long.add_argument(
        "--summary-tokens",
        type=positive_int,
        metavar="N",
        help="split: summarise again while the joined summaries are longer; default: "
        "as long as one summary can be",
    )
    long.add_argument(
        "--part-tokens",
        type=positive_int,
        metavar="N",
        help="split: the longest part; default: as long as the model's limit",
    )
    long.add_argument(
        "--part-summaries",
        metavar="FILE",
        help="split: write the summary of every part there, as JSONL",
    )
    long.add_argument(
        "--batch-size",
        type=positive_int,
        default=4,
        metavar="N",
        help="parts at a time, which change no summary; default 4",
    )
    add_attention_implementation(parser)
    add_bfloat16_products(parser)


# As `tf_led.pipelines.long_documents.METHODS`, which imports TensorFlow.
METHODS = ("split", "fuse", "cut")


def run(args):
    """Summarises every file to stdout, in order.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used, before
            the first document is summarised wherever that can be known by then.
    """
    check_split_options(args)
    args.model = model_or_bundled(args.model)
    check_parts(args)
    documents = read_documents(args.files)
    for document in documents:
        args.global_tokens.check(document)
    check_checkpoint(args.model)
    tell(f"loading {args.model}")
    load_tensorflow()
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_new_tokens(args.max_new_tokens, config.max_decoder_position_embeddings)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    limit = check_part_tokens(
        args,
        tokenizer.num_special_tokens_to_add() + 1,
        config.max_encoder_position_embeddings,
    )
    encoded = [encode(doc, tokenizer, limit, args) for doc in documents]
    model = load_model(
        args.model, attention_implementation=args.attention_implementation
    )
    generator = make_generator(model, tokenizer, args)
    with open_parts(args.part_summaries) as parts:
        for number, (document, row) in enumerate(
            zip(documents, encoded, strict=True), 1
        ):
            started = time.perf_counter()
            with blamed_on(document.name):
                text, tokens_in, tokens_out = summarize(
                    generator, document, row, args, parts
                )
            print(text, flush=True)
            seconds = time.perf_counter() - started
            tell(
                f"[{number}/{len(documents)}] {document.name}: "
                f"{tokens_in:,} tokens in, {tokens_out:,} out, {seconds:.1f} s"
            )


def check_split_options(args):
    for name in ("summary_tokens", "part_tokens", "part_summaries"):
        value = getattr(args, name)
        if value is not None and args.long_documents != "split":
            raise UsageError(
                f"--{name.replace('_', '-')} {value}: only with --long-documents "
                f"split, not {args.long_documents}"
            )


def check_parts(args):
    """Checks, before anything is read, that the file of parts can be written."""
    if args.part_summaries == "-":
        raise UsageError(
            "--part-summaries -: give a file; standard output has the summaries"
        )
    for file in () if args.part_summaries is None else args.files:
        source = "/dev/stdin" if file == "-" else file
        inputs = {f"FILE {file}": source, "--model": args.model}
        check_file("--part-summaries", args.part_summaries, inputs)


def check_part_tokens(args, least, limit):
    """The most tokens that are read at once: int."""
    if args.part_tokens is not None and not least <= args.part_tokens <= limit:
        raise UsageError(
            f"--part-tokens {args.part_tokens}: give at least {least}, special tokens "
            f"among them, and at most {limit}, the model's limit"
        )
    return args.part_tokens or limit


def encode(document, tokenizer, limit, args):
    """Tokenises a document that fits, or is cut, to ids and mask; else gives None."""
    is_cut = args.long_documents == "cut"
    if not is_cut and len(document.text) > 128 * limit:  # no token is so long
        return None
    options = {"return_offsets_mapping": True, "verbose": False}
    encoding = tokenizer(document.text, **options)
    total = len(encoding["input_ids"])
    if total > limit:
        if not is_cut:
            return None
        encoding = tokenizer(
            document.text, truncation=True, max_length=limit, **options
        )
        tell(
            f"warning: {document.name}: {total:,} tokens, the model takes {limit:,}: "
            f"the last {total - limit:,} are left out ({1 - limit / total:.0%})"
        )
    return encoding["input_ids"], args.global_tokens.mask(document, encoding)


def make_generator(model, tokenizer, args):
    """The TextGenerator of the command's options."""
    from tf_led.pipelines.text_generator import TextGenerator

    options = {"num_beams": args.num_beams, "max_new_tokens": args.max_new_tokens}
    return TextGenerator(
        model,
        tokenizer,
        global_tokens=args.global_tokens.rule(),
        batch_size=args.batch_size,
        part_tokens=args.part_tokens,
        **{name: value for name, value in options.items() if value is not None},
    )


def summarize(generator, document, row, args, parts):
    """Summarises one document.

    Args:
        generator: TextGenerator.
        document: Document.
        row: (ids, global mask) of a document that fits or was cut, else None.
        args: the parsed arguments.
        parts: text file that gets a line for each part, or None.

    Returns:
        (summary, tokens in, tokens out): a str and two ints.
    """
    from tf_led.pipelines.fusing import fuse_document
    from tf_led.pipelines.long_documents import summarize_split

    if row is not None and parts is None and args.summary_tokens is None:
        return whole(generator, *row)
    if args.long_documents == "fuse":
        ids, tokens = fuse_document(generator, document.text, fuse_reporter(document))
        return generator.decode(ids[0]), tokens, len(ids[0]) - 1
    summary = summarize_split(
        generator,
        document.text,
        args.summary_tokens,
        on_part=part_writer(document, parts),
        on_level=level_reporter(document),
    )
    return summary.text, summary.num_tokens, generator.count(summary.text)


def whole(generator, ids, mask):
    """Summarises a document that the encoder reads at once; see `summarize`."""
    import numpy as np

    from tf_led.pipelines.text_generator import Encoded

    row = Encoded(np.array(ids, np.int32), np.array(mask, bool), len(ids))
    written = generator.generate([row])[0, 0]
    # The decoder's start token is not new.
    return generator.decode(written), len(ids), len(written) - 1


def level_reporter(document):
    """A function that reports how a document, or its summaries, are split."""

    def report(level, number, tokens):
        what = document.name if level == 1 else f"{document.name}: summaries"
        if number > 1 or level > 1:
            plural = "s" if number > 1 else ""
            tell(f"{what}: {tokens:,} tokens in {number} part{plural} (level {level})")

    return report


def fuse_reporter(document):
    """A function that reports how much memory a document takes."""

    def report(tokens, number, size):
        if number > 1:
            tell(
                f"{document.name}: {tokens:,} tokens in {number} overlapping parts, "
                f"{size / 2**20:,.0f} MiB for their states"
            )

    return report


def part_writer(document, file):
    """A function that writes a Part as a line of JSON; None without a file."""
    if file is None:
        return None

    def write(part):
        name = document.name.encode("utf-8", "surrogateescape")
        # A file's name may be no UTF-8, which no JSON can hold.
        name = name.decode("utf-8", "backslashreplace")
        row = {"document": name, **part._asdict()}
        with blamed_on("--part-summaries"):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()

    return write


@contextlib.contextmanager
def open_parts(path):
    """Opens the file of parts' summaries; gives None without a path."""
    if path is None:
        yield None
        return
    with open_file(path) as file:
        yield file
