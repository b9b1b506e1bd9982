"""Measure a LED checkpoint: ROUGE of the summaries that it writes.

F.jsonl holds one JSON object a line, {"document": "...", "summary": "..."}, in UTF-8.
ROUGE-1, 2, L and Lsum (F1 with stemming, 0 to 100) go to stdout as one line of JSON,
each with its 95 % interval by bootstrap; for Lsum a summary has one sentence a line.
Progress goes to stderr. What generation does follows the checkpoint's own generation
config unless an option overrides it.
"""

import itertools
import json
import sys

import numpy as np
from tqdm import tqdm

from tf_led.cli.checkpoint import (
    check_checkpoint,
    check_new_tokens,
    check_vocabulary,
    load_config_and_tokenizer,
    load_model,
    model_or_bundled,
    tell,
)
from tf_led.cli.outputs import check_file, open_file
from tf_led.cli.parser import (
    UsageError,
    add_attention_implementation,
    add_bfloat16_products,
    blamed_on,
    load_tensorflow,
    non_negative_int,
    positive_int,
)
from tf_led.cli.train.arguments import add_key_arguments, check_rule


def read(args, config, tokenizer):
    """Reads the examples and makes what batches them.

    Args:
        args: the parsed arguments.
        config: LEDConfig.
        tokenizer: LEDTokenizerFast.

    Returns:
        List of Example, and the BatchMaker for them.

    Raises:
        UsageError: if the file, or an argument, cannot be used.
    """
    from tf_led.cli.train.data import length_limits, report_all_bad_records
    from tf_led.data.batching import BatchMaker
    from tf_led.data.encode import Limits, drop_long_questions, encode_read
    from tf_led.data.global_attention_rules import choose_rule
    from tf_led.data.records import DataReport, Keys, read_examples
    from tf_led.models.config import window_radii

    args.max_target_length = None
    limits = Limits(**length_limits(config, args), source_prefix=args.source_prefix)
    keys = Keys(args.document_key, args.summary_key, args.question_key, args.separator)
    report = DataReport(args.data, args.strict)
    with blamed_on(f"--global-tokens {args.global_tokens}"):
        rule = choose_rule(args.global_tokens, tokenizer, args.separator)
    with report_all_bad_records("--data"):
        found = read_examples(args.data, report, keys)
        examples = list(itertools.islice(found, args.limit))
        examples = drop_long_questions(examples, tokenizer, limits, report)
        encoded = encode_read(examples, tokenizer, limits, report)
        report.check()
    maker = BatchMaker(
        encoded,
        tokenizer.pad_token_id,
        rule,
        pad_to_multiple_of=2 * max(window_radii(config)),
        max_source_length=limits.max_source_length,
    )
    return examples, maker


def generate(model, maker, tokenizer, args):
    """Writes the summaries, documents of similar length together.

    Args:
        model: TFLEDForConditionalGeneration.
        maker: BatchMaker.
        tokenizer: LEDTokenizerFast.
        args: the parsed arguments.

    Returns:
        List of str, in the order of the examples.
    """
    import tensorflow as tf

    lengths = maker.encoded.sources.lengths
    order = np.argsort(-lengths, kind="stable")  # what needs most memory comes first
    texts = [None] * len(lengths)
    given = {"num_beams": args.num_beams, "max_new_tokens": args.max_new_tokens}
    options = {name: value for name, value in given.items() if value is not None}
    with tqdm(total=len(lengths), unit="doc", desc="writing", file=sys.stderr) as bar:
        for start in range(0, len(order), args.batch_size):
            rows = order[start : start + args.batch_size]
            batch = maker(rows)
            del batch["labels"]
            inputs = {name: tf.constant(array) for name, array in batch.items()}
            ids = model.generate(**inputs, **options).numpy()
            written = tokenizer.batch_decode(ids, skip_special_tokens=True)
            for row, text in zip(rows, written, strict=True):
                texts[row] = text
            bar.update(len(rows))
    return texts


NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SAMPLES = 1000


def score_texts(predictions, references):
    """Scores every text by rouge-score, with stemming.

    Args:
        predictions: list of n str.
        references: list of n str; for Lsum one sentence a line.

    Returns:
        Dict from name to float64[n], F1 from 0 to 100.

    Raises:
        UsageError: if rouge-score is not installed.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise UsageError(
            "ROUGE needs rouge-score, which is not installed: "
            "pip install 'tf_led[train]'"
        ) from None
    scorer = RougeScorer(NAMES, use_stemmer=True)
    scored = [
        scorer.score(reference, prediction)
        for prediction, reference in zip(predictions, references, strict=True)
    ]
    return {
        name: np.array([100 * score[name].fmeasure for score in scored])
        for name in NAMES
    }


def with_interval(values, *, seed, confidence=0.95):
    """The mean of scores, and where it lies if the texts were drawn again.

    Args:
        values: float[n].
        seed: int, of the 1000 draws.
        confidence: float, fraction of the draws within the interval.

    Returns:
        Dict of `mean`, `low` and `high`, float.

    Example:
        >>> from tf_led.cli.evaluate import with_interval
        >>> with_interval([50.0, 50.0], seed=0)
        {'mean': 50.0, 'low': 50.0, 'high': 50.0}
    """
    random, values = np.random.default_rng(seed), np.asarray(values)
    draws = range(SAMPLES)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in draws]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    numbers = {"mean": values.mean(), "low": low, "high": high}
    return {name: round(float(number), 4) for name, number in numbers.items()}


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
    add(
        "--seed", type=non_negative_int, default=0, metavar="N", help="of the intervals"
    )
    add("--strict", action="store_true", help="a bad line is an error")
    add_attention_implementation(parser)
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
    if args.predictions is not None:
        inputs = {"--data": args.data, "--model": args.model}
        check_file("--predictions", args.predictions, inputs)
    check_checkpoint(args.model)
    score_texts(["a"], ["a"])  # fails now, not after an hour
    load_tensorflow()
    config, tokenizer = load_config_and_tokenizer(args.model)
    check_vocabulary(args.model, tokenizer, config.vocab_size)
    check_new_tokens(args.max_new_tokens, config.max_decoder_position_embeddings)
    examples, maker = read(args, config, tokenizer)
    tell(f"loading {args.model}")
    model = load_model(
        args.model, attention_implementation=args.attention_implementation
    )
    predictions = generate(model, maker, tokenizer, args)
    if args.predictions is not None:
        write_predictions(args.predictions, examples, predictions)
    references = [example.summary for example in examples]
    scores = score_texts(predictions, references)
    tell(str(maker.encoded.report))
    result = {"model": args.model, "data": args.data, "examples": len(examples)}
    for name, values in scores.items():
        result[name] = with_interval(values, seed=args.seed)
    json.dump(result, sys.stdout)
    print(flush=True)


def write_predictions(path, examples, predictions):
    """Writes one JSON object a line."""
    lines = []
    for example, text in zip(examples, predictions, strict=True):
        row = {"place": example.place, "prediction": text, "summary": example.summary}
        lines.append(json.dumps(row) + "\n")
    with blamed_on(f"--predictions {path}"), open_file(path) as file:
        file.writelines(lines)
