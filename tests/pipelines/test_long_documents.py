import collections
import tracemalloc

import pytest

from tf_led.data.global_attention_rules import OccurrencesOf
from tf_led.pipelines import splitting, summarize_document
from tf_led.pipelines.long_documents import Joined, summarize_split
from tf_led.pipelines.text_generator import TextGenerator

SENTENCE = "The parser adds an argument to the text. "
DOCUMENT = (SENTENCE * 3 + "\n\n") * 7


def split(model, tokenizer, text=DOCUMENT, **options):
    """The summary by `split`, and every part."""
    parts = []
    summary = summarize_document(
        model, tokenizer, text, on_part=parts.append, **options
    )
    return summary, parts


def test_the_parts_are_the_document(first_words, tokenizer):
    summary, parts = split(first_words, tokenizer, summary_tokens=997)
    assert summary.levels == [len(parts)] and len(parts) > 7
    assert "".join(DOCUMENT[part.start : part.end] for part in parts) == DOCUMENT
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert summary.text == "; ".join(part.summary.strip() for part in parts)
    assert summary.num_tokens > 23 * 7


def test_sentences_are_joined_by_spaces_and_phrases_by_semicolons():
    pieces = [
        (0, 2, "One. "),
        (2, 3, "two"),
        (3, 5, ""),
        (5, 7, "three!"),
        (7, 11, "4"),
    ]
    joined = Joined.of(pieces)
    assert joined.text == "One. two; three! 4"
    assert [joined.place(i, i + 1) for i in (0, 5, 10, 17)] == [
        (0, 2),
        (2, 3),
        (5, 7),
        (7, 11),
    ]


def test_parts_may_be_shorter_than_the_limit(first_words, tokenizer):
    _, longest = split(first_words, tokenizer, summary_tokens=997)
    first_words.batches.clear()
    _, parts = split(first_words, tokenizer, summary_tokens=997, part_tokens=13)
    assert len(parts) > len(longest)
    assert "".join(DOCUMENT[part.start : part.end] for part in parts) == DOCUMENT
    assert all(ids.shape[1] <= 13 for ids, *_ in first_words.batches)


def test_summaries_are_summarised_until_they_are_short_enough(first_words, tokenizer):
    summary, parts = split(first_words, tokenizer)
    count = TextGenerator(first_words, tokenizer).count
    assert summary.levels[-1] == 1 and len(summary.levels) > 2
    assert summary.levels == sorted(summary.levels, reverse=True)
    assert count(summary.text) <= 5
    assert {part.level for part in parts} == set(range(1, len(summary.levels) + 1))
    for level in range(1, len(summary.levels) + 1):
        own = [part for part in parts if part.level == level]
        assert own[0].start == 0 and own[-1].end == len(DOCUMENT)
        for part, following in zip(own, own[1:], strict=False):
            assert following.start <= part.end  # a piece may be read by two parts
    short, _ = split(first_words, tokenizer, summary_tokens=3)
    assert count(short.text) <= 3
    assert first_words.batches[-1][2] == {"max_new_tokens": 3}


def test_a_document_that_fits_is_one_call(first_words, tokenizer):
    summary, parts = split(first_words, tokenizer, " \nthe text")
    assert summary.levels == [1] and len(parts) == 1
    ((ids, _, _),) = first_words.batches
    assert ids.tolist() == [tokenizer(" \nthe text").input_ids]


@pytest.mark.parametrize("batch_size", [1, 3, 97])
def test_the_batch_changes_nothing(first_words, tokenizer, batch_size):
    expected = split(first_words, tokenizer)
    assert split(first_words, tokenizer, batch_size=batch_size) == expected
    assert max(len(ids) for ids, *_ in first_words.batches) <= max(batch_size, 4)


@pytest.mark.parametrize(
    "text",
    ["the text and the name " * 61, "x" * 499, "Привет, мир" * 97, SENTENCE * 29],
)
def test_texts_without_borders(first_words, tokenizer, text):
    _, parts = split(first_words, tokenizer, text)
    own = [part for part in parts if part.level == 1]
    assert "".join(text[part.start : part.end] for part in own) == text
    limit = first_words.config.max_encoder_position_embeddings
    assert all(ids.shape[1] <= limit for ids, *_ in first_words.batches)


def test_blanks_have_no_summary(first_words, tokenizer):
    text = "\n\n" * 199
    assert split(first_words, tokenizer, text)[0].text == ""
    assert first_words.batches == []
    summary, parts = split(first_words, tokenizer, text + "the text" + text)
    assert "the text" in summary.text
    assert "".join(part.summary for part in parts if part.level == 1) == "the text"


def test_a_part_that_has_more_tokens_by_itself_is_cut_again(
    first_words, tokenizer, monkeypatch
):
    monkeypatch.setattr(
        "tf_led.pipelines.long_documents.part_length", lambda generator: 31
    )
    _, parts = split(first_words, tokenizer, summary_tokens=997)
    assert "".join(DOCUMENT[part.start : part.end] for part in parts) == DOCUMENT
    assert all(ids.shape[1] <= 23 for ids, *_ in first_words.batches)


def test_every_part_has_the_global_tokens_of_the_task(first_words, tokenizer):
    split(first_words, tokenizer, summary_tokens=997)
    for ids, mask, _ in first_words.batches:
        assert mask[:, 0].tolist() == [1] * len(ids) and mask[:, 1:].sum() == 0
    first_words.batches.clear()
    text = DOCUMENT + "the very end"
    rule = OccurrencesOf("the very end")
    split(first_words, tokenizer, text, summary_tokens=997, global_tokens=rule)
    marked = [
        (tokenizer.decode(row[mask > 0]), mask[0])
        for ids, masks, _ in first_words.batches
        for row, mask in zip(ids, masks, strict=True)
    ]
    assert {text for text, first in marked if not first} == {"the very end"}
    assert {text for text, first in marked if first} == {"<s>"}


def test_summaries_that_do_not_get_shorter_end_it(first_words, tokenizer):
    first_words.generation_config.max_new_tokens = 97
    options = {"generator": TextGenerator(first_words, tokenizer), "text": DOCUMENT}
    with pytest.warns(UserWarning, match="not summarised again"):
        summary = summarize_split(**options, summary_tokens=7)
    assert len(summary.levels) < 4 and summary.levels[-1] > 1


def test_memory_hardly_grows_with_the_document(first_words, tokenizer, monkeypatch):
    monkeypatch.setattr(splitting, "BLOCK", 997)
    first_words.batches = collections.deque(maxlen=1)
    peaks = []
    for times in (5, 50):
        text = DOCUMENT * times
        tracemalloc.start()
        summary = summarize_document(first_words, tokenizer, text)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert summary.levels[0] > 30 * times / 5
    # What grows is where tokens start, and the summaries: a few bytes a character.
    assert peaks[1] - peaks[0] < 15 * len(DOCUMENT) * 45


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"long_documents": "join"}, "`long_documents` .* got 'join'"),
        ({"summary_tokens": 0}, "`summary_tokens` .* got 0"),
        ({"long_documents": "fuse", "summary_tokens": 7}, "`summary_tokens`.*'fuse'"),
        ({"long_documents": "cut", "on_part": print}, "`on_part` .*'cut'"),
        ({"long_documents": "fuse", "part_tokens": 7}, "`part_tokens` .*'fuse'"),
        ({"part_tokens": 0}, "`part_tokens` .* got 0"),
        ({"part_tokens": 10**6}, "`part_tokens` is 1000000"),
        ({"num_return_sequences": 3}, "`num_return_sequences` is 3"),
        ({"batch_size": 0}, "`batch_size` .* got 0"),
        ({"global_tokens": "all"}, "`global_tokens` .* got 'all'"),
    ],
)
def test_options_that_do_not_fit_raise(first_words, tokenizer, options, found):
    with pytest.raises(ValueError, match=found):
        summarize_document(first_words, tokenizer, DOCUMENT, **options)


def test_a_prefix_that_leaves_no_length_raises(first_words, tokenizer):
    generator = TextGenerator(first_words, tokenizer, prefix="the text " * 13)
    with pytest.raises(ValueError, match="`part_tokens` is 23.*`prefix` 'the text"):
        summarize_split(generator, DOCUMENT)


@pytest.mark.parametrize("part_tokens", [3, 4, 5])
def test_a_character_that_fits_in_no_part_raises(first_words, tokenizer, part_tokens):
    text = "\U0001f600" * 41
    found = (
        f"leaves {part_tokens - 2} tokens .*'\U0001f600'.* has 4.* {6 - part_tokens}"
    )
    with pytest.raises(ValueError, match=found):
        split(first_words, tokenizer, text, part_tokens=part_tokens)
    assert first_words.batches == []
    _, parts = split(first_words, tokenizer, text, part_tokens=6, summary_tokens=997)
    assert "".join(text[part.start : part.end] for part in parts) == text


@pytest.mark.parametrize("text", ["the name \U0001f600 " * 7, "a" + " " * 53])
def test_blanks_around_a_character_do_not_count(first_words, tokenizer, text):
    options = {"part_tokens": 6, "summary_tokens": 997}
    _, parts = split(first_words, tokenizer, text, **options)
    assert "".join(text[part.start : part.end] for part in parts) == text


@pytest.mark.parametrize("part_tokens", [1, 2])
def test_special_tokens_alone_are_no_part(first_words, tokenizer, part_tokens):
    found = f"`part_tokens` is {part_tokens}, .* Give at least 3"
    with pytest.raises(ValueError, match=found):
        split(first_words, tokenizer, part_tokens=part_tokens)


@pytest.mark.parametrize("text", [None, 3, b"ab", ["a"]])
def test_what_is_not_a_text_raises(first_words, tokenizer, text):
    with pytest.raises(TypeError, match="`text` must be a str, got"):
        summarize_document(first_words, tokenizer, text)


def test_half_a_pair_of_surrogates_raises(first_words, tokenizer):
    with pytest.raises(ValueError, match=r"`text` has '\\ud800' at character 1"):
        summarize_document(first_words, tokenizer, "a\ud800b")


def test_what_gets_the_parts_is_a_function(first_words, tokenizer):
    with pytest.raises(TypeError, match="`on_part` must be a function .* got 3"):
        summarize_document(first_words, tokenizer, "a", on_part=3)


@pytest.mark.parametrize(("bar", "shown"), [(True, True), (False, False)])
def test_a_bar_of_parts_is_shown_as_asked(first_words, tokenizer, capsys, bar, shown):
    for text in (DOCUMENT, "the text"):
        summarize_split(TextGenerator(first_words, tokenizer), text, bar=bar)
        assert ("part" in capsys.readouterr().err) == shown


def test_cut_warns_of_what_is_left_out(first_words, tokenizer):
    left_out = len(tokenizer(DOCUMENT).input_ids) - 23
    with pytest.warns(UserWarning, match=f"the last {left_out} are left out"):
        summary = summarize_document(
            first_words, tokenizer, DOCUMENT, long_documents="cut"
        )
    ((ids, _, _),) = first_words.batches
    expected = tokenizer(DOCUMENT, truncation=True, max_length=23).input_ids
    assert ids.tolist() == [expected] and summary.num_tokens == left_out + 23
