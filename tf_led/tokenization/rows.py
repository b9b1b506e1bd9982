"""Reading what a tokenizer is called with as rows, and refusing what is none."""

from numbers import Integral


class Ids(list):
    """A list of ids in the place of a text."""


def mark_ids(row):
    """Marks a list of ids, or those in a pair, as Ids; anything else stays."""
    if not isinstance(row, (list, tuple)):
        return row
    if row and all(isinstance(token_id, Integral) for token_id in row):
        return Ids(row)
    return tuple(mark_ids(text) for text in row)


def as_rows(text, text_pair, is_split):
    """Reads texts as rows.

    Args:
        text: a text, or a list of texts or of pairs of texts. A text is a str, or a
            list of str where the texts are split into words.
        text_pair: the second text, or a list of them; None without.
        is_split: bool. Whether the texts are split into words.

    Returns:
        (rows, is_batch): list of (first text, second text or None), and whether there
        was a list of texts.
    """
    is_batch = isinstance(text, (list, tuple)) and not is_text(text, is_split)
    if not is_batch:
        return [check_row("`text`", (text, text_pair), is_split)], False
    if not text:
        raise ValueError("`text` is an empty list: there is nothing to encode.")
    if text_pair is None:
        return [read_row(i, row, is_split) for i, row in enumerate(text)], True
    check_pairs(text, text_pair)
    rows = enumerate(zip(text, text_pair, strict=True))
    return [check_row(f"`text[{i}]`", row, is_split) for i, row in rows], True


def is_text(text, is_split):
    if isinstance(text, Ids):
        return True
    if is_split:
        is_list = isinstance(text, (list, tuple))
        return is_list and all(isinstance(word, str) for word in text)
    return isinstance(text, str)


def read_row(index, row, is_split):
    is_pair = isinstance(row, (list, tuple)) and len(row) == 2
    if not is_text(row, is_split) and is_pair:
        return check_row(f"`text[{index}]`", tuple(row), is_split)
    return check_row(f"`text[{index}]`", (row, None), is_split)


def check_row(name, row, is_split):
    for text in row if row[1] is not None else row[:1]:
        if not is_text(text, is_split):
            wanted = "a list of words (str)" if is_split else "a str"
            raise ValueError(
                f"{name} must be {wanted}, or a list of them, got {text!r:.60}."
            )
    return row


def check_pairs(text, text_pair):
    if not isinstance(text_pair, (list, tuple)):
        kind = type(text_pair).__name__
        raise TypeError(f"`text_pair` must be a list where `text` is one, not {kind}.")
    if len(text) != len(text_pair):
        raise ValueError(
            f"`text` has {len(text)} texts and `text_pair` {len(text_pair)}. "
            "Give each text one."
        )
