"""Greedy decoding with drafts looked up in the document, beside plain greedy decoding.

`python -m benchmarks.drafts --data FILE.jsonl` writes a summary of every document in
both ways, one document at a time, and prints as JSON how many tokens a step gave, both
times, and how many summaries differ: only ties may.
"""

import argparse
import itertools
import json
import sys
import time
from pathlib import Path

WARM_UP = 3  # documents; the first two of different lengths are compiled for


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="JSON lines: document")
    parser.add_argument("--model", help="a checkpoint; the bundled model if not given")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--source-len", type=int, default=1024, help="tokens, at most")
    parser.add_argument("--new-tokens", type=int, default=40)
    parser.add_argument("--drafts", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--ngram", type=int, default=2)
    options = parser.parse_args(argv)
    options.texts = read_texts(options.data, options.examples + WARM_UP)
    if len(options.texts) <= WARM_UP:
        parser.error(
            f"--data {options.data} and --examples {options.examples} give "
            f"{len(options.texts)} documents, but the first {WARM_UP} only warm up: "
            f"give at least {WARM_UP + 1} and 1"
        )
    print(json.dumps(measure(options), indent=1))


def measure(options):
    """Runs all documents in all ways.

    Args:
        options: namespace, see `main`.

    Returns:
        Dict of `documents`, `tokens`, `seconds` of plain decoding, and `drafts`: a list
        of dict of `num_drafts`, `tokens_per_step`, `seconds`, `differing`.
    """
    from tf_led.utils.bundled import FOLDER

    model, documents = load(options.model or FOLDER, options)
    settings = {"num_beams": 1, "no_repeat_ngram_size": 0, "do_sample": False}
    settings["max_new_tokens"] = options.new_tokens
    plain, seconds = timed(model, documents, settings)
    found = {"documents": len(plain), "tokens": sum(map(num_new, plain))}
    rows = []
    for number in options.drafts:
        lookup = {"prompt_lookup_num_tokens": number}
        lookup["max_matching_ngram_size"] = options.ngram
        written, taken = timed(model, documents, {**settings, **lookup})
        pairs = zip(documents[WARM_UP:], plain, strict=True)
        steps = sum(count_steps(ids, new, number, options.ngram) for ids, new in pairs)
        rows.append(
            {
                "num_drafts": number,
                "tokens_per_step": found["tokens"] / steps,
                "seconds": taken,
                "differing": sum(a != b for a, b in zip(plain, written, strict=True)),
            }
        )
    return {**found, "seconds": seconds, "drafts": rows}


def read_texts(path, number):
    """The first documents of a file of JSON lines."""
    from tf_led.data.records import read_lines

    lines = itertools.islice(read_lines(path), number)
    return [parse()["document"] for _, parse in lines]


def load(checkpoint, options):
    """The model, and the ids of the documents, those to warm up with first."""
    from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration

    model = TFLEDForConditionalGeneration.from_pretrained(checkpoint)
    tokenizer = LEDTokenizerFast.from_pretrained(checkpoint)
    cut = {"truncation": True, "max_length": options.source_len}
    return model, [tokenizer(text, **cut)["input_ids"] for text in options.texts]


def timed(model, documents, settings):
    """Lists of the tokens written about all but the first documents, and seconds."""
    from tqdm import tqdm

    written = []
    for number, ids in enumerate(tqdm(documents, unit="doc", file=sys.stderr)):
        if number == WARM_UP:
            start = time.perf_counter()
        new = model.generate([ids], **settings).numpy()[0].tolist()
        written.append(new)
    return written[WARM_UP:], time.perf_counter() - start


def num_new(tokens):
    """How many tokens were chosen: all but the one that decoding starts with."""
    return len(tokens) - 1


def count_steps(document, tokens, num_drafts, max_ngram_size):
    """Counts the steps in which a text is written with drafts.

    Args:
        document: list of int.
        tokens: list of int, the text with the token it starts with.
        num_drafts: int.
        max_ngram_size: int.

    Returns:
        int. A step gives a token, and one more for each leading draft that is right.

    Example:
        >>> from benchmarks.drafts import count_steps
        >>> count_steps([5, 6, 7, 8], [2, 5, 6, 7, 8], num_drafts=3, max_ngram_size=2)
        2
    """
    import tensorflow as tf

    from tf_led.generation.prompt_lookup import PromptLookup

    lookup = PromptLookup(
        num_drafts, document_ids=tf.constant([document]), max_ngram_size=max_ngram_size
    )
    index, steps = 0, 0
    while index < num_new(tokens):
        proposed, _ = lookup.propose(tf.constant([[tokens]]), tf.constant(index))
        drafts = proposed[0, 0].numpy().tolist()
        rest = tokens[index + 1 :]
        pairs = zip(drafts, rest, strict=False)
        right = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
        index, steps = index + 1 + right, steps + 1
    return steps


if __name__ == "__main__":
    main()
