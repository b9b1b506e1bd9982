import logging
import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.tokenization_utils_base import TruncationStrategy

from tests.tokenization.conftest import FILES
from tf_led.tokenization.led_tokenizer import LEDTokenizer
from tf_led.tokenization.prepare import FIRST, LONGEST, SECOND, truncate

IDS, PAIR = [2, 3, 5, 7, 11], [13, 17, 19]


def test_one_sequence():
    assert truncate(IDS, None, 2, LONGEST, 0, "right") == ([2, 3, 5], None, [7, 11])
    assert truncate(IDS, None, 2, FIRST, 1, "left") == ([5, 7, 11], None, [2, 3, 5])
    assert truncate(IDS, PAIR, 1, SECOND, 0, "right") == (IDS, [13, 17], [19])


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(1, (4, 3)), (2, (3, 3)), (3, (3, 2)), (4, (2, 2)), (7, (1, 0))],
)
def test_the_longer_of_a_pair_loses_first(count, lengths):
    ids, pair, overflow = truncate(IDS, PAIR, count, LONGEST, 3, "right")
    assert (len(ids), len(pair)) == lengths and overflow == []
    assert ids == IDS[: len(ids)] and pair == PAIR[: len(pair)]
    ids, pair, _ = truncate(IDS, PAIR, count, LONGEST, 0, "left")
    assert ids == IDS[5 - lengths[0] :] and pair == PAIR[3 - lengths[1] :]


def test_nothing_is_cut_where_nothing_has_to_go():
    nothing = TruncationStrategy.DO_NOT_TRUNCATE
    assert truncate(IDS, PAIR, 0, FIRST, 0, "right") == (IDS, PAIR, [])
    assert truncate(IDS, PAIR, -3, FIRST, 0, "right") == (IDS, PAIR, [])
    assert truncate(IDS, PAIR, 2, nothing, 0, "right") == (IDS, PAIR, [])


@pytest.mark.parametrize(
    ("pair", "strategy", "reason"),
    [
        (PAIR, FIRST, "'only_first' would have to take 5 tokens away, .* only 5"),
        (PAIR, SECOND, "'only_second' would have to take 5 .* only 3"),
        (None, SECOND, "'only_second' .* no second sequence"),
    ],
)
def test_a_cut_that_cannot_be_made_is_logged(caplog, pair, strategy, reason):
    with caplog.at_level(logging.ERROR):
        assert truncate(IDS, pair, 5, strategy, 0, "right") == (IDS, pair, [])
    assert re.search(reason, caplog.text)


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
def test_contradictions_raise(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer.prepare_for_model([5, 7], **options)


def test_what_are_no_ids_raises(tokenizer):
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
