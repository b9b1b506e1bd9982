"""Batched tokenising: from examples to rows of ids, cut to their limits."""

import io
import itertools
import sys
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tf_led.data.cache import RowWriter, TokenRows, cached
from tf_led.data.records import DataReport, Keys, name_of, read_examples
from tf_led.utils.validation import check_int


def check_prefix(tokenizer, limits):
    """Raises ValueError for a prefix that leaves no length for a document.

    Args:
        tokenizer: LEDTokenizerFast.
        limits: `tf_led.data.encode.Limits`.

    Raises:
        ValueError: if it is not a str, or as long as `max_source_length`.
    """
    if not isinstance(limits.source_prefix, str):
        raise ValueError(
            f"`source_prefix` must be a str, got {limits.source_prefix!r}."
        )
    remaining = limits.max_source_length - tokenizer.num_special_tokens_to_add()
    [length] = _lengths([limits.source_prefix], tokenizer)
    if length >= remaining:
        raise ValueError(
            f"`source_prefix` has {length:,} tokens, which leaves none for a document "
            f"within `max_source_length` {limits.max_source_length:,}."
        )


def drop_long_questions(chunk, tokenizer, limits, report):
    """Leaves out examples whose question and prefix fill the limit.

    Args:
        chunk: list of Example.
        tokenizer: LEDTokenizerFast.
        limits: Limits.
        report: DataReport that counts those left out.

    Returns:
        List of Example.

    Raises:
        DataError: on the first, if the report is strict.
    """
    if not chunk or chunk[0].question is None:
        return chunk
    questions = [example.question for example in chunk]
    prefix, *lengths = _lengths([limits.source_prefix, *questions], tokenizer)
    special = tokenizer.num_special_tokens_to_add(True)
    remaining = limits.max_source_length - special - prefix
    kept = []
    for example, length in zip(chunk, lengths, strict=True):
        if length < remaining:
            kept.append(example)
            continue
        report.leave_out(
            example.place,
            f"the question has {length:,} tokens, which leaves none for the document "
            f"within {limits.max_source_length:,}",
        )
    return kept


def _lengths(texts, tokenizer):
    encoding = tokenizer(texts, add_special_tokens=False, verbose=False)
    return list(map(len, encoding["input_ids"]))


CHUNK = 256  # texts a call of the tokenizer: enough to keep its threads busy
LEAST = 3  # tokens of a text that is cut: one between the special ones


class Encoded(NamedTuple):
    """Examples as ids.

    Args:
        sources: TokenRows of the documents.
        targets: TokenRows of the summaries; empty rows where there are none.
        report: DataReport, what was kept, cut and left out.

    Example:
        >>> from tf_led.data.encode import Encoded
        >>> Encoded._fields
        ('sources', 'targets', 'report')
    """

    sources: TokenRows
    targets: TokenRows
    report: DataReport


class Limits(NamedTuple):
    """What is put before a document, and where texts are cut.

    Args:
        max_source_length: int, tokens of a document, special ones included.
        max_target_length: int, the same for a summary.
        source_prefix: str, put before every document.

    Example:
        >>> from tf_led.data.encode import Limits
        >>> Limits(4096, 128).source_prefix
        ''
    """

    max_source_length: int
    max_target_length: int
    source_prefix: str = ""

    def check(self):
        """Raises ValueError for lengths below 3, which hold no token of a text.

        Raises:
            ValueError: naming the length.
        """
        for name in ("max_source_length", "max_target_length"):
            length = getattr(self, name)
            check_int(name, length, at_least=LEAST)


def encode_examples(
    source,
    tokenizer,
    *,
    max_source_length,
    max_target_length,
    source_prefix="",
    keys=None,
    strict=False,
    cache_dir=None,
    progress_bar=False,
):
    r"""Reads and tokenises examples.

    Args:
        source: path of a JSONL file, or an iterable of dicts, as a Hugging Face dataset
            has them, or of (document, summary) pairs.
        tokenizer: LEDTokenizerFast.
        max_source_length: int, tokens of a document, special ones included; what is
            beyond is cut, and counted.
        max_target_length: int, the same for a summary.
        source_prefix: str, put before every document.
        keys: `tf_led.data.records.Keys`, where in a record the texts are; None for
            "document" and "summary".
        strict: bool, whether the first bad record is an error; otherwise bad records
            are left out, with a warning each.
        cache_dir: folder to keep the ids in, and to read them from when the same data,
            tokenizer and limits come again; None keeps them in memory.
        progress_bar: bool, whether to count the examples on stderr, where that takes
            longer than two seconds.

    Returns:
        Encoded.

    Raises:
        DataError: if nothing is left, or on a bad record if `strict`.
        OSError: if a file cannot be read or written.
        ValueError: on a limit that holds nothing, or no more than the prefix.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> from tf_led.data.encode import encode_examples
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> pairs = [("aaaaa", "a"), ("a", "aa")]
        >>> encoded = encode_examples(
        ...     pairs,
        ...     LEDTokenizerFast(vocab, []),
        ...     max_source_length=5,
        ...     max_target_length=5,
        ... )
        >>> encoded.sources[0].tolist(), encoded.targets[1].tolist()
        ([0, 4, 4, 4, 2], [0, 4, 4, 2])
        >>> print(encoded.report)
        examples: 2 examples; 1 documents cut, 2 tokens of them left out
    """
    limits = Limits(max_source_length, max_target_length, source_prefix)
    limits.check()
    keys = keys or Keys()
    report = DataReport(name_of(source), strict)

    def write(source_file, target_file):
        writers = RowWriter(source_file), RowWriter(target_file)
        examples = tqdm(
            read_examples(source, report, keys),
            desc="reading",
            unit="example",
            file=sys.stderr,
            disable=not progress_bar,
            delay=2,
            leave=False,
        )
        _encode(examples, tokenizer, limits, writers, report)
        report.check()
        return [writer.ends for writer in writers]

    if cache_dir is not None:
        options = [*limits, *keys, strict]
        return Encoded(*cached(cache_dir, source, tokenizer, options, write, report))
    files = io.BytesIO(), io.BytesIO()
    return _in_memory(files, write(*files), report)


def encode_read(examples, tokenizer, limits, report):
    """Tokenises examples that have been read.

    Args:
        examples: iterable of Example.
        tokenizer: LEDTokenizerFast.
        limits: Limits.
        report: DataReport that counts what is kept and cut.

    Returns:
        Encoded, in memory, without the examples that the report left out.
    """
    limits.check()
    files = io.BytesIO(), io.BytesIO()
    writers = [RowWriter(file) for file in files]
    _encode(examples, tokenizer, limits, writers, report)
    return _in_memory(files, [writer.ends for writer in writers], report)


def _in_memory(files, ends, report):
    rows = [
        TokenRows(np.frombuffer(file.getbuffer(), "int32"), row_ends)
        for file, row_ends in zip(files, ends, strict=True)
    ]
    return Encoded(*rows, report)


def _encode(examples, tokenizer, limits, writers, report):
    check_prefix(tokenizer, limits)
    examples = iter(examples)
    while chunk := list(itertools.islice(examples, CHUNK)):
        chunk = drop_long_questions(chunk, tokenizer, limits, report)
        if not chunk:
            continue
        sources, left_out = _sources(chunk, tokenizer, limits)
        targets, cut = _targets(chunk, tokenizer, limits)
        for source, target in zip(sources, targets, strict=True):
            writers[0].add(source)
            writers[1].add(target)
        report.examples += len(chunk)
        report.cut_documents += sum(number > 0 for number in left_out)
        report.cut_tokens += sum(left_out)
        report.cut_summaries += sum(number > 0 for number in cut)


def _sources(chunk, tokenizer, limits):
    """Ids of the documents, and how many tokens of each were cut off."""
    texts = [limits.source_prefix + example.document for example in chunk]
    options = {"truncation": True}
    if chunk[0].question is not None:
        options = {"text_pair": texts, "truncation": "only_second"}
        texts = [example.question for example in chunk]
    encoding = tokenizer(texts, max_length=limits.max_source_length, **options)
    return encoding["input_ids"], _cut_off(encoding, part=int("text_pair" in options))


def _targets(chunk, tokenizer, limits):
    if chunk[0].summary is None:
        return [[] for _ in chunk], [0] * len(chunk)
    encoding = tokenizer(
        text_target=[example.summary for example in chunk],
        max_length=limits.max_target_length,
        truncation=True,
    )
    return encoding["input_ids"], _cut_off(encoding)


def _cut_off(encoding, part=0):
    """How many tokens of each row's first or second text the tokenizer left out."""
    # An overflow repeats what was not cut: the special tokens, and a question.
    return [
        sum(more.sequence_ids.count(part) for more in row.overflowing)
        for row in encoding.encodings
    ]
