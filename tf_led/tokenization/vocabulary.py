"""Checking the vocabulary and the merges of a byte-level BPE before it is built."""

import os


def check_vocabulary(vocab, merges, place=None):
    """Checks what a tokenizer is to be made of.

    Args:
        vocab: dict of int by token, or the path of vocab.json.
        merges: list of pairs of str (or of str with a space between), or the path of
            merges.txt.
        place: str. Where a message says that they were looked for.

    Returns:
        (vocab, merges): two str, or a dict of int by str and a list of (str, str). The
        Rust tokenizer takes either, and reads files itself much faster.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if one of the two is missing or is something else.
    """
    if vocab is None or merges is None:
        missing = "vocab_file" if vocab is None else "merges_file"
        where = f" in {place!r}" if place else ""
        raise ValueError(
            f"`{missing}` is missing{where}. An LED tokenizer needs vocabulary and "
            "merges: vocab.json and merges.txt, or tokenizer.json."
        )
    if isinstance(vocab, dict) and isinstance(merges, (list, tuple)):
        return vocab, [as_merge(merge) for merge in merges]
    if isinstance(vocab, dict) or isinstance(merges, (list, tuple)):
        raise ValueError("Give vocabulary and merges both as paths or both as values.")
    return check_file("vocab_file", vocab), check_file("merges_file", merges)


def as_merge(merge):
    parts = tuple(merge.split(" ") if isinstance(merge, str) else merge)
    if len(parts) != 2:
        raise ValueError(f"`merges` must hold pairs of tokens, got {merge!r}.")
    return parts


def check_file(name, path):
    if not os.path.isfile(path):
        raise FileNotFoundError(f"`{name}`: there is no file {str(path)!r}.")
    return os.fspath(path)
