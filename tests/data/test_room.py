import pytest

from tf_led.data.encode import encode_examples
from tf_led.data.examples import Keys

LIMITS = {"max_source_length": 7, "max_target_length": 5}


@pytest.mark.parametrize("length", [5, 13])
def test_a_prefix_that_leaves_no_room_is_refused(letters, length):
    message = f"`source_prefix` has {length} tokens: no room .* `max_source_length` 7"
    with pytest.raises(ValueError, match=message):
        encode_examples([("a", "a")], letters, **LIMITS, source_prefix="b" * length)


def test_a_prefix_that_is_no_text_is_refused(letters):
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
    with pytest.warns(UserWarning, match="the question has 2 tokens: no room"):
        encoded = encode_examples(records, letters, **options, source_prefix="b")
    assert letters.decode(encoded.sources[0]) == "<s>x</s></s>ba</s>"
