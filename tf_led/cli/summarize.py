"""Summarise text files with a LED checkpoint.

Each FILE is read as UTF-8 text, as it is. Its summary goes to stdout, followed by one
newline; progress goes to stderr. What generation does follows the checkpoint's own
generation config unless an option overrides it. A document longer than the model's
limit is cut, with a warning that says how much was left out.
"""

import time

from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    model_or_bundled,
    tell,
)
from tf_led.cli.documents import read_documents
from tf_led.cli.global_tokens import GlobalTokens, join_words, parse_rule
from tf_led.cli.parser import (
    UsageError,
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
    add_bfloat16_products(parser)


def run(args):
    """Summarises every file to stdout, in order.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used, before
            the first document is summarised wherever that can be known by then.
    """
    documents = read_documents(args.files)
    for document in documents:
        args.global_tokens.check(document)
    args.model = model_or_bundled(args.model)
    check_checkpoint(args.model)
    tell(f"loading {args.model}")
    load_tensorflow()
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_max_new_tokens(args.max_new_tokens, config.max_decoder_position_embeddings)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    limit = config.max_encoder_position_embeddings
    encoded = [encode(doc, tokenizer, limit, args.global_tokens) for doc in documents]
    model = load_model(args.model)
    for number, (document, inputs) in enumerate(
        zip(documents, encoded, strict=True), 1
    ):
        started = time.perf_counter()
        with blamed_on(document.name):
            ids = generate(model, inputs, args)
        print(tokenizer.decode(ids, skip_special_tokens=True), flush=True)
        seconds = time.perf_counter() - started
        tell(
            f"[{number}/{len(documents)}] {document.name}: "
            f"{len(inputs['input_ids']):,} tokens in, {len(ids) - 1:,} out, "
            f"{seconds:.1f} s"  # less one: the decoder's start token is not new
        )


def check_max_new_tokens(number, limit):
    if number is not None and number > limit:
        raise UsageError(
            f"--max-new-tokens {number}: the model's decoder has {limit} positions"
        )


def encode(document, tokenizer, limit, global_tokens):
    """Tokenises one document; cut to the model's limit, it says what it left out."""
    options = {"return_offsets_mapping": True, "verbose": False}
    encoding = tokenizer(document.text, **options)
    total = len(encoding["input_ids"])
    if total > limit:
        encoding = tokenizer(
            document.text, truncation=True, max_length=limit, **options
        )
        tell(
            f"warning: {document.name}: {total:,} tokens, the model takes {limit:,}: "
            f"the last {total - limit:,} are left out ({1 - limit / total:.0%})"
        )
    return {
        "input_ids": encoding["input_ids"],
        "attention_mask": encoding["attention_mask"],
        "global_attention_mask": global_tokens.mask(document, encoding),
    }


def generate(model, inputs, args):
    """Returns the ids of one summary, a list of int."""
    import tensorflow as tf

    asked = {"num_beams": args.num_beams, "max_new_tokens": args.max_new_tokens}
    options = {name: value for name, value in asked.items() if value is not None}
    batch = {name: tf.constant([row], tf.int32) for name, row in inputs.items()}
    return model.generate(**batch, **options)[0].numpy().tolist()
