"""Measure a LED checkpoint: ROUGE of the summaries that it writes.

F.jsonl holds one JSON object a line, {"document": "...", "summary": "..."}, in UTF-8.
ROUGE-1, 2, L and Lsum (F1 with stemming, 0 to 100) go to stdout as one line of JSON,
each with its 95 % interval by bootstrap; for Lsum a summary has one sentence a line.
Progress goes to stderr. What generation does follows the checkpoint's own generation
config unless an option overrides it.
"""

import json
import sys

from tf_led.cli.bundled import model_or_bundled
from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    tell,
)
from tf_led.cli.errors import UsageError, blamed_on
from tf_led.cli.parser import add_bfloat16_products, positive_int
from tf_led.cli.quiet import load_tensorflow
from tf_led.cli.train_arguments import add_key_arguments, check_rule, natural

__all__ = ["EXAMPLES", "HELP", "add_arguments", "run"]

HELP = "measure a checkpoint's summaries by ROUGE"
EXAMPLES = """\
  tf-led evaluate --data test.jsonl
  tf-led evaluate --model tuned --data test.jsonl --num-beams 4 --predictions out.jsonl
"""


def add_arguments(parser):
    """Declares what `tf-led evaluate` takes.

    Args:
        parser: argparse.ArgumentParser to add to.
    """
    add = parser.add_argument
    add("--data", required=True, metavar="F.jsonl", help="documents and summaries")
    add("--model", metavar="DIR_OR_ID", help="a checkpoint; the bundled one if absent")
    add("--num-beams", type=positive_int, metavar="N", help="1 is greedy search")
    add("--max-new-tokens", type=positive_int, metavar="N", help="the longest summary")
    add("--max-source-length", type=positive_int, metavar="N", help="of a document")
    add("--batch-size", type=positive_int, default=4, metavar="N", help="default 4")
    add("--limit", type=positive_int, metavar="N", help="take the first N examples")
    add("--predictions", metavar="FILE", help="write every summary there, as JSONL")
    add("--seed", type=natural, default=0, metavar="N", help="of the intervals")
    add("--strict", action="store_true", help="a bad line is an error")
    add_bfloat16_products(parser)
    add_key_arguments(parser.add_argument_group("data"))


def run(args):
    """Measures the checkpoint.

    Args:
        args: the parsed arguments.

    Raises:
        UsageError: for anything that the user gave and that cannot be used.
    """
    check_rule(args)
    args.model = model_or_bundled(args.model)
    check_checkpoint(args.model)
    load_tensorflow()
    from tf_led.cli import evaluate_data, rouge_intervals

    rouge_intervals.score_texts(["a"], ["a"])  # refused at once, not after an hour
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    check_new_tokens(args.max_new_tokens, config.max_decoder_position_embeddings)
    examples, maker = evaluate_data.read(args, config, tokenizer)
    check_predictions(args.predictions)
    tell(f"loading {args.model}")
    model = load_model(args.model)
    predictions = evaluate_data.generate(model, maker, tokenizer, args)
    if args.predictions:
        write_predictions(args.predictions, examples, predictions)
    references = [example.summary for example in examples]
    scores = rouge_intervals.score_texts(predictions, references)
    tell(str(maker.encoded.report))
    result = {"model": args.model, "data": args.data, "examples": len(examples)}
    for name, values in scores.items():
        result[name] = rouge_intervals.with_interval(values, seed=args.seed)
    json.dump(result, sys.stdout)
    print(flush=True)


def check_new_tokens(number, limit):
    if number is not None and number > limit:
        raise UsageError(
            f"--max-new-tokens {number}: the model's decoder has {limit} positions"
        )


def check_predictions(path):
    """Refuses at once, not after an hour, a file that cannot be written."""
    if path:
        with blamed_on(f"--predictions {path}"), open(path, "a"):
            pass


def write_predictions(path, examples, predictions):
    with blamed_on(f"--predictions {path}"), open(path, "w", encoding="utf-8") as file:
        for example, text in zip(examples, predictions, strict=True):
            row = {"place": example.place, "prediction": text}
            file.write(json.dumps({**row, "summary": example.summary}) + "\n")
