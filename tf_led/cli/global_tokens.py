"""`--global-tokens`: which tokens of a document see, and are seen by, all others."""

import argparse
import bisect
from typing import NamedTuple

from tf_led.cli.parser import UsageError

OPTION = "--global-tokens"


class GlobalTokens(NamedTuple):
    """The rule that the user chose.

    Args:
        text: str whose every occurrence is global; None: the first token is.

    Example:
        >>> from tf_led.cli.global_tokens import GlobalTokens
        >>> GlobalTokens(text=None)
        GlobalTokens(text=None)
    """

    text: str | None

    def check(self, document):
        """Refuses a document in which the text does not occur.

        Args:
            document: Document.

        Raises:
            UsageError: naming the text and the document.
        """
        if self.text is not None and self.text not in document.text:
            raise UsageError(
                f"{document.name}: {OPTION} all-of {self.text!r}: does not occur in it"
            )

    def mask(self, document, encoding):
        """Marks the global tokens of one encoded document.

        Args:
            document: Document.
            encoding: what the tokenizer gave for its text, with offsets.

        Returns:
            List of S ints, 1 = global.

        Raises:
            UsageError: if no token is global: the text may lie in what was cut off.
        """
        if self.text is None:
            return [1] + [0] * (len(encoding["input_ids"]) - 1)
        starts = occurrences(self.text, document.text)
        spans = own_spans(encoding)
        mask = [int(touches(span, starts, len(self.text))) for span in spans]
        if not any(mask):
            raise UsageError(
                f"{document.name}: {OPTION} all-of {self.text!r}: none of the "
                f"{len(mask):,} tokens that the model reads belongs to it"
            )
        return mask


def occurrences(text, document):
    """Where each occurrence starts, those that overlap too, in order."""
    starts, start = [], document.find(text)
    while start >= 0:
        starts.append(start)
        start = document.find(text, start + 1)
    return starts


def own_spans(encoding):
    """The (start, end) of each token's characters; None for those around the text."""
    offsets, sequences = encoding["offset_mapping"], encoding.sequence_ids(0)
    return [
        None if sequence is None else span
        for span, sequence in zip(offsets, sequences, strict=True)
    ]


def touches(span, starts, length):
    """Whether an occurrence, [start, start + length), shares a character with a token.

    A token of white space has an empty span; it counts strictly inside an occurrence.
    """
    if span is None:
        return False
    nearest = bisect.bisect_right(starts, span[0] - length)
    return nearest < len(starts) and starts[nearest] < span[1]


def parse_rule(words):
    """Reads the value of the option.

    Args:
        words: str, `first` or `all-of TEXT`.

    Returns:
        GlobalTokens.

    Raises:
        argparse.ArgumentTypeError: for another rule or a missing text.

    Example:
        >>> from tf_led.cli.global_tokens import parse_rule
        >>> parse_rule("all-of What is LED?")
        GlobalTokens(text='What is LED?')
    """
    rule, _, text = words.partition(" ")
    if words == "first":
        return GlobalTokens(text=None)
    if rule != "all-of":
        raise argparse.ArgumentTypeError(
            f'must be first or all-of "TEXT", got {words!r}'
        )
    if not text:
        raise argparse.ArgumentTypeError("all-of needs a text that is not empty")
    return GlobalTokens(text)


def join_words(argv):
    """Makes one argument of the option's two words, `all-of` and TEXT.

    argparse would take every FILE that follows for a further word of the option.

    Args:
        argv: list of str.

    Returns:
        New list of str.

    Example:
        >>> from tf_led.cli.global_tokens import join_words
        >>> join_words(["a.txt", "--global-tokens", "all-of", "the end", "b.txt"])
        ['a.txt', '--global-tokens=all-of the end', 'b.txt']
    """
    before, dashes, after = argv, [], []
    if "--" in argv:
        at = argv.index("--")
        before, dashes, after = argv[:at], ["--"], argv[at + 1 :]
    words, rest = [], list(before)
    while rest:
        if rest[:2] == [OPTION, "all-of"]:
            rest[:2] = [f"{OPTION}=all-of"]
        if rest[0] == f"{OPTION}=all-of":
            rest[:2] = [" ".join(rest[:2])]
        words.append(rest.pop(0))
    return words + dashes + after
