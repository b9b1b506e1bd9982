import io

import numpy as np
import pytest

from tf_led.data import encode
from tf_led.data.cache import RowWriter, TokenRows
from tf_led.data.encode import encode_examples
from tf_led.data.records import Keys

LIMITS = {"max_source_length": 7, "max_target_length": 5}


@pytest.mark.parametrize("length", [5, 13])
def test_a_prefix_that_leaves_no_room_raises(letters, length):
    message = f"`source_prefix` has {length} tokens, .* `max_source_length` 7"
    with pytest.raises(ValueError, match=message):
        encode_examples([("a", "a")], letters, **LIMITS, source_prefix="b" * length)


def test_a_prefix_that_is_no_text_raises(letters):
    with pytest.raises(ValueError, match="`source_prefix` must be a str, got None"):
        encode_examples([("a", "a")], letters, **LIMITS, source_prefix=None)


def test_a_prefix_that_leaves_room_for_a_token(letters):
    encoded = encode_examples([("ac", "a")], letters, **LIMITS, source_prefix="bbbb")
    assert letters.decode(encoded.sources[0]) == "<s>bbbba</s>"


def test_a_question_shares_the_room_with_the_prefix(letters):
    records = [
        {"document": "a", "summary": "a", "question": question}
        for question in ("xy", "x")
    ]
    options = {**LIMITS, "keys": Keys(question="question")}
    with pytest.warns(UserWarning, match="the question has 2 tokens"):
        encoded = encode_examples(records, letters, **options, source_prefix="b")
    assert letters.decode(encoded.sources[0]) == "<s>x</s></s>ba</s>"


def rows(token_rows):
    return [token_rows[i].tolist() for i in range(len(token_rows))]


def test_ids_are_the_tokenizers(letters, monkeypatch):
    monkeypatch.setattr(encode, "CHUNK", 2)
    pairs = [("abc", "a"), ("abcdefgh", "abcdef"), ("b", "cd")]
    encoded = encode_examples(pairs, letters, **LIMITS)
    expected = letters([d for d, _ in pairs], max_length=7, truncation=True)
    assert rows(encoded.sources) == expected["input_ids"]
    labels = letters(text_target=[s for _, s in pairs], max_length=5, truncation=True)
    assert rows(encoded.targets) == labels["input_ids"]
    report = encoded.report
    assert (report.examples, report.cut_documents, report.cut_tokens) == (3, 1, 3)
    assert report.cut_summaries == 1


def test_prefix_and_question(letters):
    record = {"document": "abcdefgh", "summary": "a", "question": "xy"}
    keys = Keys(question="question")
    encoded = encode_examples(
        [record], letters, max_source_length=11, max_target_length=5, keys=keys
    )
    assert letters.convert_ids_to_tokens(encoded.sources[0]) == [
        *("<s>", "x", "y", "</s>", "</s>", "a", "b", "c", "d", "e", "</s>")
    ]
    assert encoded.report.cut_tokens == 3
    prefixed = encode_examples([("b", "a")], letters, **LIMITS, source_prefix="a ")
    assert rows(prefixed.sources) == [letters("a b")["input_ids"]]


def test_a_question_that_leaves_no_room_is_left_out(letters):
    records = [
        {"document": "a", "summary": "a", "question": question}
        for question in ("xyz", "x")
    ]
    with pytest.warns(UserWarning, match="item 1: the question has 3 tokens"):
        encoded = encode_examples(
            records, letters, **LIMITS, keys=Keys(question="question")
        )
    assert rows(encoded.sources) == [letters("x", "a")["input_ids"]]


def test_without_summaries(letters):
    encoded = encode_examples(
        [{"document": "a"}], letters, **LIMITS, keys=Keys(summary=None)
    )
    assert rows(encoded.targets) == [[]] and len(encoded.sources) == 1


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("length", [2, "7"])
def test_a_limit_that_holds_nothing_raises(letters, name, length):
    with pytest.raises(ValueError, match=f"`{name}` must be .* got {length!r}"):
        encode_examples([("a", "a")], letters, **{**LIMITS, name: length})


def test_nothing_to_encode_raises(letters):
    with pytest.raises(ValueError, match="examples: no example that can be used"):
        encode_examples([], letters, **LIMITS)


def test_rows_come_back_as_they_were_written():
    file = io.BytesIO()
    writer = RowWriter(file)
    for row in ([3, 5, 7], [], [11]):
        writer.add(row)
    ids = np.frombuffer(file.getbuffer(), "int32")
    assert rows(TokenRows(ids, writer.ends)) == [[3, 5, 7], [], [11]]
