"""What stands before a document must leave room for it within its limit."""


def check_prefix(tokenizer, limits):
    """Refuses a prefix that fills the limit: all documents would be the same.

    Args:
        tokenizer: LEDTokenizerFast.
        limits: `tf_led.data.encode.Limits`.

    Raises:
        ValueError: if it is no str, or no token of a document has room after it.
    """
    if not isinstance(limits.source_prefix, str):
        raise ValueError(
            f"`source_prefix` must be a str, got {limits.source_prefix!r}."
        )
    room = limits.max_source_length - tokenizer.num_special_tokens_to_add()
    [length] = _lengths([limits.source_prefix], tokenizer)
    if length >= room:
        raise ValueError(
            f"`source_prefix` has {length:,} tokens: no room for a document within "
            f"`max_source_length` {limits.max_source_length:,}."
        )


def with_room(chunk, tokenizer, limits, report):
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
    room = limits.max_source_length - special - prefix
    kept = []
    for example, length in zip(chunk, lengths, strict=True):
        if length < room:
            kept.append(example)
            continue
        report.leave_out(
            example.place,
            f"the question has {length:,} tokens: no room for the document within "
            f"{limits.max_source_length:,}",
        )
    return kept


def _lengths(texts, tokenizer):
    encoding = tokenizer(texts, add_special_tokens=False, verbose=False)
    return list(map(len, encoding["input_ids"]))
