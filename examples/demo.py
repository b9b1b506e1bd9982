"""What `make demo` reads, summarises and learns from: `python -m examples.demo FOLDER`.

Writes a long English document, what Python's library says of itself; short ones with
their titles, chapters of Python's reference manual; and a LED of seeded random weights,
for code that only needs one to run on. No network, no download. `--outline` shows what
a model wrote about each part of the document, `--compare` what it wrote about some
chapters before it was fine-tuned and after.
"""

import argparse
import configparser
import json
import textwrap
from pathlib import Path

from tf_led.cli.main import prepare_streams
from tf_led.cli.parser import load_tensorflow
from tf_led.testing.manual import chapters, library_guide

EVERY = 4  # of so many chapters one is measured, the others are learnt from
NUM_SHOWN = 5


def write_texts(folder):
    """Writes `document.txt`, `train.jsonl` and `validation.jsonl`.

    Args:
        folder: Path.
    """
    (folder / "document.txt").write_text(library_guide(), encoding="utf-8")
    found = [{"document": text, "summary": title} for title, text in chapters()]
    measured = found[::EVERY]
    learnt = [one for one in found if one not in measured]
    for name, rows in (("train", learnt), ("validation", measured)):
        lines = [json.dumps(row) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def outline(folder):
    """Prints a line for every part of the document.

    Args:
        folder: Path with what `tf-led summarize --part-summaries` wrote, `parts.jsonl`.

    Example:
        >>> import json
        >>> from pathlib import Path
        >>> from examples.demo import outline
        >>> part = {"level": 1, "start": 0, "end": 5, "summary": "Says hello."}
        >>> _ = Path("parts.jsonl").write_text(json.dumps(part))
        >>> outline(Path())
              0  Says hello.
    """
    text = (folder / "parts.jsonl").read_text("utf-8")
    for part in map(json.loads, text.splitlines()):
        if part["level"] == 1:
            print(f"{part['start']:7,}  {part['summary']}")


def compare(folder):
    """Prints some examples with what the model wrote before and after fine-tuning.

    Args:
        folder: Path with `validation.jsonl`, and what `tf-led evaluate --predictions`
            wrote to `before.jsonl` and `after.jsonl`.

    Example:
        >>> import json
        >>> from pathlib import Path
        >>> from examples.demo import compare
        >>> row = {"document": "Some text.", "summary": "a", "prediction": "b"}
        >>> for name in ("validation", "before", "after"):
        ...     _ = Path(f"{name}.jsonl").write_text(json.dumps(row))
        >>> compare(Path())
        <BLANKLINE>
        Some text.
            before: b
            after:  b
            in the manual: a
    """
    names = ("validation", "before", "after")
    tables = [(folder / f"{name}.jsonl").read_text("utf-8") for name in names]
    rows = [[json.loads(line) for line in table.splitlines()] for table in tables]
    for example, before, after in list(zip(*rows, strict=True))[:NUM_SHOWN]:
        print(f"\n{textwrap.shorten(example['document'], 88, placeholder=' ...')}")
        print(f"    before: {before['prediction']}")
        print(f"    after:  {after['prediction']}")
        print(f"    in the manual: {example['summary']}")


# One line per special token, in the order of LEDConfig's ids: bos 0, pad 1, eos 2.
SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
READING = [configparser.__file__, argparse.__file__]  # what the tokenizer learns from


def write_demo(folder):
    """Writes a tiny LED, examples and a long document into a folder.

    They are `checkpoint/`, `train.jsonl`, `validation.jsonl` and `document.txt`.

    Args:
        folder: path, made where it does not exist.

    Example:
        >>> from examples.demo import write_demo
        >>> write_demo("demo")
        >>> from tf_led import TFLEDForConditionalGeneration
        >>> model = TFLEDForConditionalGeneration.from_pretrained("demo/checkpoint")
        >>> model.config.max_encoder_position_embeddings
        16384
    """
    load_tensorflow()
    folder = Path(folder)
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(checkpoint)
    write_model(checkpoint, vocab_size=len(tokenizer))
    write_texts(folder)


def write_tokenizer(checkpoint):
    """Trains a byte-level BPE and saves it as LED's tokenizer; returns that."""
    from tokenizers import ByteLevelBPETokenizer

    from tf_led import LEDTokenizerFast

    learner = ByteLevelBPETokenizer()
    learner.train(
        READING, vocab_size=4096, special_tokens=SPECIAL_TOKENS, show_progress=False
    )
    learner.save_model(str(checkpoint))  # vocab.json and merges.txt
    tokenizer = LEDTokenizerFast.from_pretrained(checkpoint)
    tokenizer.save_pretrained(checkpoint)
    return tokenizer


def write_model(checkpoint, vocab_size):
    """Saves a LED of about 1.4 million seeded random weights."""
    import keras

    from tf_led import LEDConfig, TFLEDForConditionalGeneration

    keras.utils.set_random_seed(0)
    config = LEDConfig(
        vocab_size=vocab_size,
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        attention_window=256,
        max_encoder_position_embeddings=16384,
        max_decoder_position_embeddings=256,
        init_std=0.3,  # far from uniform attention, so that the words are not all one
    )
    model = TFLEDForConditionalGeneration(config)
    model.generation_config.no_repeat_ngram_size = 3
    model.save_pretrained(checkpoint)


def main():
    parser = argparse.ArgumentParser(prog="examples.demo", description=__doc__)
    parser.add_argument("folder", nargs="?", default="demo", type=Path)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--outline", action="store_true")
    shown.add_argument("--compare", action="store_true")
    args = parser.parse_args()
    prepare_streams()
    if args.outline:
        outline(args.folder)
    elif args.compare:
        compare(args.folder)
    else:
        print(f"Writing a document, examples and a small LED to {args.folder}.")
        write_demo(args.folder)


if __name__ == "__main__":
    main()
