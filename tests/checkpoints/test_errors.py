"""What goes into messages: one line each, however wild the thing."""

import pytest

from tf_led.checkpoints.convert.bart_config import led_config
from tf_led.checkpoints.errors import CheckpointError, check_num_labels, one_line, some


@pytest.mark.parametrize("count", [1, 1 << 20, None])
def test_numbers_of_labels_that_can_be(count):
    check_num_labels({"num_labels": count})
    check_num_labels({})


@pytest.mark.parametrize("count", [0, -3, 1 << 40, 1e300])
def test_numbers_of_labels_that_would_fill_the_memory(count):
    with pytest.raises(
        CheckpointError, match=f"`num_labels` {count}".replace("+", ".")
    ):
        check_num_labels({"num_labels": count})


def test_a_bart_is_looked_at_too():
    with pytest.raises(CheckpointError, match="`num_labels` 1099511627776"):
        led_config({"model_type": "bart", "num_labels": 1 << 40})


def test_messages_are_one_short_line():
    assert one_line(ValueError("a\nb\r\n  c")) == "a b c"
    assert one_line("x" * 999) == "x" * 200 + "..."


def test_long_lists_are_cut():
    assert some(["a"]) == "`a`"
    assert some(["a", "b", "c"]) == "`a`, `b`, `c`"
    assert some(list("abcdefg")) == "`a`, `b`, `c` and 4 more"


def test_a_bad_file_is_a_value_error():
    assert issubclass(CheckpointError, ValueError)
