"""Trains the bundled model's tokenizer: `python -m ...tokenizer CORPUS DIR`.

It is LED's byte-level BPE with merges in an order of their own, so that a word is cut
in the same way wherever it stands: `file` in "File name", `file_name` and "the file
name" gives one piece each time, with or without the space before it. What a small model
learns first is to copy words, and that takes pieces which match.
"""

import collections
import json
import re
import sys
from pathlib import Path

from examples.bundled_model.rows import read_rows
from examples.bundled_model.texts import KINDS

VOCAB_SIZE = 7168
MOST_CHARS = 3000  # of a document
SUMMARY_TIMES = 4
# The order of LEDConfig's ids: bos 0, pad 1, eos 2.
SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SPACE = "\u0120"  # as byte-level BPE writes it
CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# So many pieces get a twin with a space before it.
SPACED_SHARE = 0.45


def count_words(texts):
    """Counts what byte-level BPE sees as words.

    Args:
        texts: iterable of str.

    Returns:
        Counter of words without the space before them, cut where the case changes, and
        Counter of those that had a space before.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    cut = ByteLevel(add_prefix_space=False).pre_tokenize_str
    words, bare, spaced = (collections.Counter() for _ in range(3))
    for text in texts:
        words.update(word for word, _ in cut(text))
    for word, count in words.items():
        has_space = word.startswith(SPACE) and word.strip(SPACE)
        parts = CASE.split(word.lstrip(SPACE) if has_space else word)
        for part in parts:
            bare[part] += count
        if has_space:
            spaced[parts[0]] += count
    return bare, spaced


def learn_merges(bare, size):
    """Learns byte-pair merges from words.

    Args:
        bare: Counter of words.
        size: int, how many pieces there are to be, with the 256 of one byte.

    Returns:
        List of pieces in the order of their ids, and list of merges as pairs of str.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        min_frequency=20,
    )
    lines = (" ".join([word] * min(count, 20_000)) for word, count in bare.items())
    tokenizer.train_from_iterator(lines, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    pieces = tokenizer.get_vocab()
    return sorted(pieces, key=pieces.get), [tuple(merge) for merge in merges]


def first_pieces(spaced, merges):
    """Counts the pieces that words with a space before them begin with.

    Args:
        spaced: Counter of words.
        merges: list of pairs of str.

    Returns:
        Counter of pieces.
    """
    from tokenizers import models

    pieces = {piece for pair in merges for piece in (*pair, "".join(pair))}
    pieces |= {char for word in spaced for char in word}
    vocabulary = {piece: number for number, piece in enumerate(sorted(pieces))}
    model, counts = models.BPE(vocab=vocabulary, merges=merges), collections.Counter()
    for word, count in spaced.items():
        counts[model.tokenize(word)[0].value] += count
    return counts


def train_tokenizer(texts, folder, vocab_size=VOCAB_SIZE):
    """Trains a tokenizer and saves it as LED's.

    Args:
        texts: iterable of str.
        folder: path.
        vocab_size: int.

    Returns:
        LEDTokenizerFast.
    """
    from tf_led import LEDTokenizerFast

    bare, spaced = count_words(texts)
    num_spaced = int(SPACED_SHARE * vocab_size)
    room = vocab_size - len(SPECIAL_TOKENS) - num_spaced
    pieces, merges = learn_merges(bare, room)
    twins = [
        piece
        for piece, _ in first_pieces(spaced, merges).most_common()
        if SPACE + piece not in pieces
    ][:num_spaced]
    vocabulary = [*SPECIAL_TOKENS, *pieces, *(SPACE + piece for piece in twins)]
    merges += [(SPACE, piece) for piece in twins]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").unlink(missing_ok=True)  # of a run before: it is read
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = LEDTokenizerFast.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def texts_of(corpus):
    """The documents and summaries to learn from.

    Args:
        corpus: path of the folder that `corpus` wrote.

    Yields:
        str. Summaries count several times: they are what is to be written.
    """
    for kind in KINDS:
        for row in read_rows(Path(corpus) / f"train.{kind}.jsonl"):
            yield row["document"][:MOST_CHARS]
            yield from [" " + row["summary"]] * SUMMARY_TIMES


if __name__ == "__main__":
    train_tokenizer(texts_of(sys.argv[1]), sys.argv[2])
