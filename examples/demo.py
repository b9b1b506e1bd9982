"""What `make demo` learns from and summarises: `python -m examples.demo`.

Writes a small LED of seeded random weights with our own writers, its tokenizer trained
on the spot; examples, which are functions of the standard library with what their
docstrings say; and a long document, a module of it. No network, no download. What a
model of random weights writes has no meaning: where a model is bundled, the demo
fine-tunes that one.
"""

import argparse
import ast
import configparser
import copy
import heapq
import json
import shutil
import sys
import tarfile
import textwrap
from pathlib import Path

from tf_led.cli.main import prepare_streams
from tf_led.cli.parser import load_tensorflow

# One module is in one file only: what is measured has not been learnt.
LEARNT = (textwrap, shutil)
MEASURED = (heapq, copy, tarfile)
DOCUMENT = configparser


def write_examples(file, modules, number):
    """Writes functions without their docstrings, and the docstrings' first sentences.

    Args:
        file: Path of the JSONL file.
        modules: modules whose source to read.
        number: int, how many at most.

    Example:
        >>> import json, textwrap
        >>> from pathlib import Path
        >>> from examples.demo import write_examples
        >>> write_examples(Path("examples.jsonl"), [textwrap], 1)
        >>> json.loads(Path("examples.jsonl").read_text())["summary"]
        'Wrap a single paragraph of text, returning a list of wrapped lines.'
    """
    found = [pair for module in modules for pair in pairs_of(module)]
    rows = [{"document": source, "summary": text} for source, text in found]
    lines = [json.dumps(row) + "\n" for row in rows[:number]]
    file.write_text("".join(lines), encoding="utf-8")


def pairs_of(module):
    """Finds (source without docstring, first sentence) for a module's functions.

    Args:
        module: a module that has a source file.

    Returns:
        List of pairs of str, those with a docstring of a sentence.
    """
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    pairs = [(without_docstring(node), first_sentence(node)) for node in functions]
    return [(source, text) for source, text in pairs if len(text) > 20]


def first_sentence(node):
    text = (ast.get_docstring(node) or "").split("\n\n")[0]
    return " ".join(text.split()).split(". ")[0]


def without_docstring(node):
    if ast.get_docstring(node) is None:
        return ast.unparse(node)
    shorter = copy.copy(node)
    shorter.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(shorter)


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
    write_examples(folder / "train.jsonl", LEARNT, 24)
    write_examples(folder / "validation.jsonl", MEASURED, 8)
    shutil.copyfile(DOCUMENT.__file__, folder / "document.txt")


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


if __name__ == "__main__":
    prepare_streams()
    destination = sys.argv[1] if len(sys.argv) > 1 else "demo"
    print(f"Writing examples and a small LED of random weights to {destination}.")
    write_demo(destination)
