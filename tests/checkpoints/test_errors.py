"""What goes into messages: one line each, however wild the thing."""

from tf_led.checkpoints.errors import CheckpointError, one_line, some


def test_messages_are_one_short_line():
    assert one_line(ValueError("a\nb\r\n  c")) == "a b c"
    assert one_line("x" * 999) == "x" * 200 + "..."


def test_long_lists_are_cut():
    assert some(["a"]) == "`a`"
    assert some(["a", "b", "c"]) == "`a`, `b`, `c`"
    assert some(list("abcdefg")) == "`a`, `b`, `c` and 4 more"


def test_a_bad_file_is_a_value_error():
    assert issubclass(CheckpointError, ValueError)
