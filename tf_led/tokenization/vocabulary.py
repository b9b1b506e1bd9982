"""Reading the vocabulary and the merges of a byte-level BPE, from files or values."""

from pathlib import Path

from tokenizers.models import BPE


def read_vocabulary(vocab, merges, place=None):
    """Reads what a tokenizer is made of.

    Args:
        vocab: dict of int by token, or the path of vocab.json.
        merges: list of pairs of str (or of str with a space between), or the path of
            merges.txt.
        place: str. Where a message says that they were looked for.

    Returns:
        (vocab, merges): dict of int by str, list of (str, str).

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if one of the two is missing, or a file holds something else.
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
    return read_files(vocab, merges)


def as_merge(merge):
    parts = tuple(merge.split(" ") if isinstance(merge, str) else merge)
    if len(parts) != 2:
        raise ValueError(f"`merges` must hold pairs of tokens, got {merge!r}.")
    return parts


def read_files(vocab_file, merges_file):
    for name, path in (("vocab_file", vocab_file), ("merges_file", merges_file)):
        if not Path(path).is_file():
            raise FileNotFoundError(f"`{name}`: there is no file {str(path)!r}.")
    try:
        return BPE.read_file(str(vocab_file), str(merges_file))
    except Exception as error:
        raise ValueError(
            f"{str(vocab_file)!r} and {str(merges_file)!r} are not the vocabulary and "
            f"the merges of a BPE. {error}."
        ) from None
