"""`--global-tokens`: reading the option, and the mask that it stands for."""

import argparse
from typing import NamedTuple

from tf_led.cli.parser import UsageError, plain_text

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
        """Raises UsageError for a document in which the text does not occur.

        Args:
            document: Document.

        Raises:
            UsageError: naming the text and the document.
        """
        if self.text is not None and self.text not in document.text:
            raise UsageError(
                f"{document.name}: {OPTION} all-of {self.text!r}: does not occur in it"
            )

    def rule(self):
        """Gives the rule as the parts of a document take it.

        Returns:
            "first", or `tf_led.data.global_attention_rules.OccurrencesOf`.
        """
        from tf_led.data.global_attention_rules import OccurrencesOf

        return "first" if self.text is None else OccurrencesOf(self.text)

    def mask(self, document, encoding):
        """Marks the global tokens of one encoded document.

        Args:
            document: Document.
            encoding: what the tokenizer gave for its text, with offsets.

        Returns:
            List of S ints, 1 = global.

        Raises:
            UsageError: if no token is global, as where the text was cut off.
        """
        from tf_led.data.global_attention_rules import first_token, text_tokens

        if self.text is None:
            return first_token(encoding["input_ids"]).astype(int).tolist()
        mask = text_tokens(encoding, document.text, self.text)
        if not mask.any():
            raise UsageError(
                f"{document.name}: {OPTION} all-of {self.text!r}: none of the "
                f"{len(mask):,} tokens that the model reads belongs to it"
            )
        return mask.astype(int).tolist()


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
    return GlobalTokens(plain_text(text))


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
