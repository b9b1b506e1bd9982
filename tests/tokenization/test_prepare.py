import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizer

SLOW = LEDTokenizer(*FILES)
TEXTS = st.text("abc d", min_size=1, max_size=13)


@settings(max_examples=60, deadline=None)
@given(
    TEXTS,
    st.none() | TEXTS,
    st.sampled_from(["longest_first", "only_first", "only_second", "do_not_truncate"]),
    st.integers(5, 17),
    st.sampled_from([False, "max_length"]),
    st.booleans(),
)
def test_ids_are_prepared_as_their_texts_are(text, pair, cut, length, pad, special):
    options = {"truncation": cut, "max_length": length, "padding": pad}
    options |= {"add_special_tokens": special, "return_special_tokens_mask": True}
    texts = [text] if pair is None else [text, pair]
    ids = [SLOW(one, add_special_tokens=False)["input_ids"] for one in texts]
    assert SLOW.prepare_for_model(*ids, **options) == SLOW(*texts, **options)


def test_arrays_and_tensors_count_as_ids(tokenizer):
    expected = tokenizer.prepare_for_model([5, 7], [11])
    for make in (np.array, tf.constant, tuple):
        assert tokenizer.prepare_for_model(make([5, 7]), make([11])) == expected
        assert tokenizer.truncate_sequences(make([5, 7]), None, 1) == ([5], None, [7])


def test_the_input_is_left_alone(tokenizer):
    ids, pair = [5, 7, 11], [13, 17]
    tokenizer.prepare_for_model(ids, pair, max_length=6, padding="max_length")
    tokenizer.build_inputs_with_special_tokens(ids, pair)
    assert (ids, pair) == ([5, 7, 11], [13, 17])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"return_offsets_mapping": True}, "`return_offsets_mapping` needs text"),
        (
            {"return_token_type_ids": True, "add_special_tokens": False},
            "`return_token_type_ids=True` .* `add_special_tokens=False`",
        ),
        ({"return_overflowing_tokens": True}, "needs a `max_length`"),
        (
            {"return_overflowing_tokens": True, "max_length": 5, "pair_ids": [3]},
            "cannot go with a pair that is cut by 'longest_first'",
        ),
        ({"truncation": "only_third", "max_length": 5}, "only_third is not a valid"),
        ({"stride": -1, "max_length": 5}, "`stride` must .* got -1"),
    ],
)
def test_contradictions_are_refused(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer.prepare_for_model([5, 7], **options)


def test_what_are_no_ids_is_refused(tokenizer):
    with pytest.raises(TypeError, match="`ids` must be a list of ids, got 'a b'"):
        tokenizer.prepare_for_model("a b")
    with pytest.raises(TypeError, match=r"`ids` must be a list of ids, got \['a'\]"):
        tokenizer.prepare_for_model(["a"])
    with pytest.raises(TypeError, match="`ids` must be a list of ids, got None"):
        tokenizer.truncate_sequences(None)
    with pytest.raises(TypeError, match="`pair_ids` must be a list of ids, got 5"):
        tokenizer.prepare_for_model([5], 5)
    with pytest.raises(ValueError, match="no_way is not a valid TruncationStrategy"):
        tokenizer.truncate_sequences([5], None, 1, "no_way")
