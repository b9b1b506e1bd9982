import logging
import re

import pytest
from transformers.tokenization_utils_base import TruncationStrategy

from tf_led.tokenization.truncation import FIRST, LONGEST, SECOND, truncate

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
