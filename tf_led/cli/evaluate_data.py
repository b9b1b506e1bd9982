"""The documents that `tf-led evaluate` reads, and what the model writes of them."""

import itertools
import sys

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_led.cli.errors import blamed_on
from tf_led.cli.train_data import length_limits, told
from tf_led.data.batches import BatchMaker
from tf_led.data.encode import Limits, encode_read, with_room
from tf_led.data.examples import Keys, read_examples
from tf_led.data.global_rules import choose_rule
from tf_led.data.report import DataReport
from tf_led.models.config import window_radii


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
    args.max_target_length = None
    limits = Limits(**length_limits(config, args), source_prefix=args.source_prefix)
    keys = Keys(args.document_key, args.summary_key, args.question_key, args.separator)
    report = DataReport(args.data, args.strict)
    with blamed_on(f"--global-tokens {args.global_tokens}"):
        rule = choose_rule(args.global_tokens, tokenizer, args.separator)
    with told("--data"):
        found = read_examples(args.data, report, keys)
        examples = list(itertools.islice(found, args.limit))
        examples = with_room(examples, tokenizer, limits, report)
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
    lengths = maker.encoded.sources.lengths
    order = np.argsort(-lengths, kind="stable")  # what needs most memory comes first
    texts = [None] * len(lengths)
    asked = {"num_beams": args.num_beams, "max_new_tokens": args.max_new_tokens}
    options = {name: value for name, value in asked.items() if value is not None}
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
