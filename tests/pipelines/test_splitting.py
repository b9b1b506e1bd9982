import numpy as np
import pytest

from tf_led.pipelines import splitting
from tf_led.pipelines.splitting import split_text, token_starts

SENTENCE = "The parser adds an argument to the text. "
PARAGRAPH = SENTENCE * 3 + "\n\n"
DOCUMENTS = {
    "paragraphs": PARAGRAPH * 47,
    "one sentence": "the text and the name " * 131,
    "no border": "x" * 1999,
    "blanks": " \n\t" * 701,
    "mixed": PARAGRAPH * 5 + "y" * 499 + "\n" * 97 + "a, b; c\n" * 61,
    "several tokens a character": "\U0001f600" * 97 + "日本語" * 31,
    "other scripts": "Привет, мир. 日本語の文。もう一つの文！" * 37,
    "one word": "word",
    "nothing": "",
}


def parts_of(text, tokenizer, max_tokens):
    starts = token_starts(text, tokenizer)
    spans = split_text(text, starts, max_tokens)
    starts = starts[starts < len(text)]  # blanks at the end may count as a token there
    counts = np.diff(np.searchsorted(starts, [start for start, _ in spans] + [2**40]))
    return [text[start:end] for start, end in spans], counts


@pytest.mark.parametrize("max_tokens", [1, 2, 3, 4, 5, 61, 10_007])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_left_out_and_every_part_fits(tokenizer, name, max_tokens):
    text = DOCUMENTS[name]
    parts, counts = parts_of(text, tokenizer, max_tokens)
    assert "".join(parts) == text
    assert all(parts) or not text
    a_character = np.unique(token_starts(text, tokenizer), return_counts=True)[1]
    assert counts.max() <= max(max_tokens, a_character.max(initial=0))


@pytest.mark.parametrize("number", [1, 2, 3, 50])
def test_so_many_parts_as_fit_of_nearly_equal_length(tokenizer, number):
    total = len(token_starts(PARAGRAPH * 47, tokenizer))
    max_tokens = int(total / number / splitting.FILL) + 1
    _, counts = parts_of(PARAGRAPH * 47, tokenizer, max_tokens)
    assert len(counts) == number
    assert counts.max() <= 1.6 * counts.min()


def test_parts_end_at_the_best_border_nearby(tokenizer):
    for text, ending in (
        (PARAGRAPH * 59, "\n\n"),
        (SENTENCE * 97, ". "),
        ("a b c\n" * 397, "\n"),
        ("the text " * 797, " "),
        ("日本語の文。" * 197, "。"),
    ):
        parts, _ = parts_of(text, tokenizer, 307)
        ends = [part[-5:] for part in parts]
        assert len(parts) > 2 and all(end.endswith(ending) for end in ends)


def test_blocks_of_tokenization_change_nothing(tokenizer, monkeypatch):
    text = DOCUMENTS["mixed"]
    whole = token_starts(text, tokenizer)
    monkeypatch.setattr(splitting, "BLOCK", 101)
    blocks = token_starts(text, tokenizer)
    assert abs(len(blocks) - len(whole)) < len(text) / 50
    assert (np.diff(blocks) >= 0).all() and blocks[-1] < len(text)


def test_a_length_that_holds_no_token_raises():
    with pytest.raises(ValueError, match="`max_tokens` must be at least 1, got 0"):
        split_text("a", np.arange(1), 0)
