"""Cutting a text of any length into parts that fit, at borders that a reader sees."""

import re

import numpy as np

# Parts are planned this full, so that each can end at a border nearby.
FILL = 0.9
# How far from equal length a part may be, for the sake of a better border.
SLACK = 0.2
BLOCK = 1 << 16  # characters that are tokenized at a time

# The better borders first. A border is where a match ends.
BORDERS = (
    re.compile(r"\n[^\S\n]*\n\s*"),  # paragraphs
    re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]+[」』”）]*\s*"),  # sentences
    re.compile(r"\n\s*"),  # lines
    re.compile(r"\s+"),  # words
)
_SPACE = re.compile(r"\s")


def token_starts(text, tokenizer):
    """Finds where in a text its tokens start, block by block.

    Args:
        text: str, of any length.
        tokenizer: a fast tokenizer.

    Returns:
        int64[N], characters; N can differ by a few from the tokens of the whole text.

    Example:
        >>> from tf_led import LEDTokenizerFast
        >>> from tf_led.pipelines.splitting import token_starts
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
        >>> token_starts("abba", LEDTokenizerFast(vocab, [])).tolist()
        [0, 1, 2, 3]
    """
    starts = [np.zeros(0, np.int64)]
    begin = 0
    while begin < len(text):
        space = _SPACE.search(text, begin + BLOCK, begin + 2 * BLOCK)
        end = space.start() if space else begin + 2 * BLOCK
        encoding = tokenizer(
            text[begin:end],
            add_special_tokens=False,
            return_offsets_mapping=True,
            verbose=False,
        )
        offsets = np.array(encoding["offset_mapping"], np.int64).reshape(-1, 2)
        starts.append(begin + offsets[:, 0])
        begin = end
    return np.concatenate(starts)


def split_text(text, starts, max_tokens):
    """Cuts a text into as few parts as fit, of nearly equal length.

    A part ends with a paragraph if one ends nearby, else with a sentence, a line or a
    word, and where there is none, between two tokens. Nothing is left out.

    Args:
        text: str.
        starts: int[N], where each token starts, as of `token_starts`.
        max_tokens: int, the most that a part may have.

    Returns:
        List of (start, end), characters; joined, the parts are the text.

    Raises:
        ValueError: if `max_tokens` is below 1.

    Example:
        >>> import numpy as np
        >>> from tf_led.pipelines.splitting import split_text
        >>> text = "One. Two. Three. Four."
        >>> spans = split_text(text, np.arange(len(text)), max_tokens=13)
        >>> [text[start:end] for start, end in spans]
        ['One. Two. ', 'Three. Four.']
    """
    if max_tokens < 1:
        raise ValueError(f"`max_tokens` must be at least 1, got {max_tokens}.")
    total = len(starts)
    if total <= max_tokens:
        return [(0, len(text))]
    planned = -(-total // max(1, int(max_tokens * FILL)))
    spans, token, begin = [], 0, 0
    while (left := max(planned - len(spans), -(-(total - token) // max_tokens))) > 1:
        mean = (total - token) / left
        low = max(token + mean * (1 - SLACK), total - (left - 1) * max_tokens)
        high = min(token + mean * (1 + SLACK), token + max_tokens)
        low, middle, high = (
            int(starts[min(max(int(place), token + 1), total - 1)])
            for place in (np.ceil(low), token + round(mean), high)
        )
        end = best_border(text, low, middle, high)
        end = max(end, begin + 1)  # several tokens may share the first character
        if end >= len(text):  # and the last one
            break
        spans.append((begin, end))
        token, begin = int(np.searchsorted(starts, end)), end
    return [*spans, (begin, len(text))]


def best_border(text, low, middle, high):
    """Chooses where to cut.

    Args:
        text: str.
        low: int, the first character at which the next part may start.
        middle: int, the one at which it would start best.
        high: int, the last.

    Returns:
        int: the nearest to `middle` of the best kind of border that is there.
    """
    middle = min(max(middle, low), high)
    for border in BORDERS:
        ends = [match.end() for match in border.finditer(text, max(low - 1, 0), high)]
        ends = [end for end in ends if low <= end <= high]
        if ends:
            return min(ends, key=lambda end: abs(end - middle))
    return middle
