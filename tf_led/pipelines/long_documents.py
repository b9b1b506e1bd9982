"""Summaries of documents that are longer than the model's limit."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

import numpy as np

from tf_led.generation.options.option_table import GenerationOptionTypes
from tf_led.pipelines.base import check_text, shows_bar, track
from tf_led.pipelines.fusing import fuse_document
from tf_led.pipelines.splitting import split_text, token_starts
from tf_led.pipelines.text_generator import TextGenerator
from tf_led.utils.annotations import Tokenizer
from tf_led.utils.validation import check_int

if TYPE_CHECKING:
    from tf_led.models.tasks.conditional_generation import TFLEDForConditionalGeneration

METHODS = ("split", "fuse", "cut")
SENTENCE_ENDS = tuple(".!?…:;。！？\"'”’»)]")


class Part(NamedTuple):
    """A part of a document and its summary.

    Args:
        level: int, 1 for parts of the document, 2 for parts of their joined summaries,
            and so on.
        number: int from 1, within the level.
        start: int, the character of the document that the part starts with.
        end: int, the character after its last one.
        summary: str.

    Example:
        >>> from tf_led.pipelines import Part
        >>> Part(level=1, number=2, start=50, end=97, summary="All is well.").end
        97
    """

    level: int
    number: int
    start: int
    end: int
    summary: str


class LongSummary(NamedTuple):
    """What was written about a document of any length.

    Args:
        text: str, the summary.
        num_tokens: int, how many tokens the document has.
        levels: list of int, the number of parts at each level; [1] if it fitted.

    Example:
        >>> from tf_led.pipelines import LongSummary
        >>> LongSummary("All is well.", num_tokens=9, levels=[1]).text
        'All is well.'
    """

    text: str
    num_tokens: int
    levels: list


def summarize_document(
    model: "TFLEDForConditionalGeneration",
    tokenizer: Tokenizer,
    text: str,
    *,
    long_documents: Literal["split", "fuse", "cut"] = "split",
    summary_tokens: int | None = None,
    part_tokens: int | None = None,
    on_part: Callable[[Part], Any] | None = None,
    global_tokens: str | Callable[[np.ndarray], Any] = "first",
    batch_size: int = 4,
    **options: Unpack[GenerationOptionTypes],
) -> LongSummary:
    """Summarises a document of any length.

    Args:
        model: TFLEDForConditionalGeneration.
        tokenizer: LEDTokenizerFast, or another fast tokenizer.
        text: str.
        long_documents: what happens to a text that is longer than the encoder has
            positions. "split": it is cut at the borders of paragraphs and sentences
            into parts of nearly equal length; their summaries are joined, by "; " where
            they are no sentences, and summarised again while they are longer than
            `summary_tokens`. "fuse": its
            parts overlap, the encoder reads each, and one decoder reads the states of
            all; memory grows with the text. "cut": the rest is left out, with a
            warning.
        summary_tokens: int, the most tokens of the summary ("split"); None for as many
            as one call of `generate` writes.
        part_tokens: int, the most tokens of a part ("split"); None for as many as the
            encoder has positions. A model that learnt from shorter texts may write
            better about shorter parts.
        on_part: function that gets each Part ("split") as soon as it is written.
        global_tokens: see `tf_led.pipelines.pipeline`.
        batch_size: int, parts at a time; the summary does not depend on it, but with
            `do_sample`, whose random numbers are drawn for a batch.
        **options: of `generate`.

    Returns:
        LongSummary.

    Raises:
        TypeError: if `text` is no str, or `on_part` no function.
        ValueError: on an argument out of range; for "fuse", if memory is too small.

    Source: "split": Wu et al. 2021, arXiv 2109.10862. "fuse": Ivgi et al. 2022 (SLED),
    arXiv 2208.00748.

    Example:
        >>> from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration
        >>> from tf_led.pipelines import summarize_document
        >>> from tf_led.testing import tiny_config
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "Ġ": 5}
        >>> model = TFLEDForConditionalGeneration(tiny_config())
        >>> tokenizer = LEDTokenizerFast(vocab, [])
        >>> limit = model.config.max_encoder_position_embeddings
        >>> text = "a " * limit
        >>> summary = summarize_document(model, tokenizer, text, max_new_tokens=3)
        >>> summary.num_tokens > limit, summary.levels[0] > 1
        (True, True)
    """
    if long_documents not in METHODS:
        raise ValueError(
            f"`long_documents` must be one of {', '.join(map(repr, METHODS))}, got "
            f"{long_documents!r}."
        )
    check_text(text, None, "text")
    if on_part is not None and not callable(on_part):
        raise TypeError(f"`on_part` must be a function of a Part, got {on_part!r:.60}.")
    generator = TextGenerator(
        model,
        tokenizer,
        global_tokens=global_tokens,
        batch_size=batch_size,
        part_tokens=part_tokens,
        **options,
    )
    if long_documents == "split":
        return summarize_split(generator, text, summary_tokens, on_part)
    if {summary_tokens, part_tokens, on_part} != {None}:
        raise ValueError(
            "`summary_tokens`, `part_tokens` and `on_part` belong to "
            f"long_documents='split', got {long_documents!r}."
        )
    if long_documents == "fuse":
        ids, num_tokens = fuse_document(generator, text)
        return LongSummary(generator.decode(ids[0]), num_tokens, [1])
    row = encode_cut(generator, text)
    (summary,) = generator.write([row])
    return LongSummary(summary, row.num_tokens, [1])


def encode_cut(generator, text, name="a document", quiet=False):
    """Encodes a text, cut to the limit with a warning that says how much is left out.

    Args:
        generator: TextGenerator.
        text: str.
        name: str, what the warning calls it.
        quiet: bool, whether to leave out the warning.

    Returns:
        Encoded.
    """
    limit = generator.limit
    row = generator.encode(text, max_length=limit)
    if row.num_tokens > limit and not quiet:
        warn_of_cut(name, row.num_tokens, limit)
    return row


def warn_of_cut(name, num_tokens, limit):
    """Warns of how much of a document is left out."""
    warnings.warn(
        f"{name}: {num_tokens:,} tokens, the model takes {limit:,}: the last "
        f"{num_tokens - limit:,} are left out ({1 - limit / num_tokens:.0%})",
        stacklevel=3,
    )


def summarize_split(
    generator, text, summary_tokens=None, on_part=None, on_level=None, bar=None
):
    """Summarises the parts of a text, and their summaries, and so on.

    Args:
        generator: TextGenerator.
        text: str.
        summary_tokens: int, the most tokens of the summary; None for as many as one
            call of `generate` writes.
        on_part: function of a Part, or None.
        on_level: function of the level (int from 1), its number of parts and its number
            of tokens, called before the level is written, or None.
        bar: bool, whether to show progress over parts; None: where they are many.

    Returns:
        LongSummary.

    Raises:
        ValueError: if `summary_tokens` is not an int of at least 1, or the prefix
            leaves no length for a text.
    """
    check_one_sequence(generator.options)
    wanted = longest = generator.max_new_tokens
    if summary_tokens is not None:
        check_int("summary_tokens", summary_tokens, at_least=1)
        wanted = summary_tokens
    # One call writes the last summary, which must not be longer than was asked for.
    last_options = {"max_new_tokens": wanted} if wanted < longest else {}
    whole, sizes, levels = Joined.whole(text), [], []
    while True:
        pieces, size = summarize_level(
            generator, whole, len(levels) + 1, last_options, on_part, on_level, bar
        )
        levels.append(len(pieces))
        sizes.append(size)
        joined = Joined.of(pieces)
        length = generator.count(joined.text)
        if len(pieces) == 1 or length <= wanted or not gets_shorter(length, size):
            added = generator.tokenizer.num_special_tokens_to_add()
            return LongSummary(joined.text, sizes[0] + added, levels)
        whole = joined


def summarize_level(generator, whole, level, last_options, on_part, on_level, bar):
    """Summarises the parts of a text once; see `summarize_split`.

    Returns:
        (pieces, size): list of (start, end, summary), and the tokens of the text.
    """
    spans, num_tokens = plan_parts(generator, whole.text)
    if on_level:
        on_level(level, len(spans), num_tokens)
    options = last_options if len(spans) == 1 else {}
    written = write_parts(generator, whole, spans, options)
    many = shows_bar(bar, len(spans), generator.batch_size)
    pieces = []
    for start, end, summary in track(written, len(spans), "part", many):
        pieces.append((start, end, summary))
        if on_part:
            on_part(Part(level, len(pieces), start, end, summary))
    return pieces, num_tokens


def plan_parts(generator, text):
    """Cuts a text into parts that the encoder reads.

    Args:
        generator: TextGenerator.
        text: str.

    Returns:
        (spans, num_tokens): list of (start, end), characters, and the tokens of all.

    Raises:
        ValueError: if the prefix leaves no length, or too little for a character.
    """
    starts, length = token_starts(text, generator.tokenizer), part_length(generator)
    check_characters(generator, text, starts, length)
    return split_text(text, starts, length), len(starts)


def gets_shorter(length, size):
    """Whether summaries have fewer tokens than what they are of; warns if not."""
    if length < size:
        return True
    warnings.warn(
        f"the summaries have {length:,} tokens, and their parts {size:,}: they are not "
        "summarised again",
        stacklevel=3,
    )
    return False


def check_one_sequence(options):
    """Raises ValueError for options that give several texts for a part."""
    number = options.get("num_return_sequences") or 1
    if number > 1:
        raise ValueError(
            f"`num_return_sequences` is {number}, and a document that is split has one "
            "summary. Leave it out, or give long_documents='cut' or 'fuse'."
        )


def part_length(generator):
    """The most tokens that a part may have beside special tokens and prefix: int."""
    added = generator.tokenizer.num_special_tokens_to_add()
    length = generator.limit - added - generator.count(generator.prefix)
    if length < 1:
        raise ValueError(
            f"`part_tokens` is {generator.limit}, of which {added} special tokens and "
            f"`prefix` {generator.prefix!r:.60} take {generator.limit - length}: no "
            f"part of a text fits. Give at least {generator.limit - length + 1}."
        )
    return length


def check_characters(generator, text, starts, length):
    """Raises ValueError where a character has more tokens than a part may have."""
    later = starts[length:]
    crowded = later[(later == starts[:-length]) & (later < len(text))]
    # Blanks before a character may count as tokens of it: it is looked at alone.
    for character, place in {text[place]: place for place in crowded[::-1]}.items():
        count = generator.count(character)
        if count > length:
            raise ValueError(
                f"`part_tokens` leaves {length} tokens for a part of the text, but "
                f"{character!r}, character {place}, has {count}. Give at least "
                f"{count - length} more."
            )


def write_parts(generator, whole, spans, options):
    """Summarises parts; a part without a word has the summary "".

    Args:
        generator: TextGenerator.
        whole: Joined.
        spans: list of (start, end) in `whole.text`.
        options: dict, of `generate`.

    Yields:
        (start, end, summary): characters of the document, and a str.
    """
    waiting = []

    def rows():
        for start, end, row in encode_parts(generator, whole.text, spans):
            waiting.append((start, end))
            if row is not None:
                yield row
            else:
                waiting[-1] = (start, end, "")

    def finished():
        while waiting and len(waiting[0]) == 3:
            start, end, summary = waiting.pop(0)
            yield *whole.place(start, end), summary

    for summary in generator.write(rows(), **options):
        yield from finished()
        start, end = waiting.pop(0)
        yield *whole.place(start, end), summary
    yield from finished()


def encode_parts(generator, text, spans):
    """Yields (start, end, Encoded) of each part; None for one of white space alone.

    Tokens were counted in the whole text; where a part by itself has more than fit, it
    is cut in two.
    """
    for start, end in spans:
        part = text[start:end]
        if len(spans) > 1 and not part.strip():
            yield start, end, None
            continue
        row = generator.encode(part if len(spans) == 1 else part.strip())
        if len(row.ids) <= generator.limit:
            yield start, end, row
            continue
        starts = token_starts(part, generator.tokenizer)
        check_characters(generator, part, starts, part_length(generator))
        halves = split_text(part, starts, -(-len(starts) // 2) + 1)
        halves = [(start + begin, start + stop) for begin, stop in halves]
        if len(halves) == 1:
            middle = start + max(1, len(part) // 2)
            halves = [(start, middle), (middle, end)]
        yield from encode_parts(generator, text, halves)


class Joined(NamedTuple):
    """Summaries joined to a text that knows where in the document each is from.

    Args:
        text: str.
        ends: list of int, the character of `text` after each piece.
        places: list of (start, end), characters of the document, one a piece.
    """

    text: str
    ends: list
    places: list

    @classmethod
    def whole(cls, text):
        """The document itself, in one piece whose characters are its own."""
        return cls(text, [], [])

    @classmethod
    def of(cls, pieces):
        """Joins (start, end, summary); empty summaries are left out.

        A space comes between sentences, "; " behind what does not end as one. A piece
        alone stays as it is, with the white space around it.
        """
        if len(pieces) == 1:
            return cls(pieces[0][2], [len(pieces[0][2])], [pieces[0][:2]])
        text, ends, places = "", [], []
        for start, end, summary in pieces:
            summary = summary.strip()
            if summary:
                if text:
                    text += " " if text.endswith(SENTENCE_ENDS) else "; "
                text += summary
                ends.append(len(text))
                places.append((start, end))
        return cls(text, ends, places)

    def place(self, start, end):
        """Where in the document the characters from `start` to `end` are from."""
        if not self.ends:
            return start, end
        found = [
            place
            for place, first, last in zip(
                self.places, [0, *self.ends], self.ends, strict=False
            )
            if first < end and start < last
        ]
        return found[0][0], found[-1][1]
