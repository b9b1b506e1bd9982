import argparse
import os

import pytest

from tf_led.cli.parser import (
    attention_implementation,
    hidden_stderr,
    load_tensorflow,
)


def test_what_libraries_write_is_hidden(capfd):
    os.write(2, b"before ")
    with hidden_stderr():
        os.write(2, b"hidden")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_it_is_shown_when_it_ends_in_an_exception(capfd):
    with pytest.raises(ImportError, match="no library"), hidden_stderr():
        os.write(2, b"what the loader said")
        raise ImportError("no library")
    os.write(2, b", and more")
    assert capfd.readouterr().err == "what the loader said, and more"


def test_it_stays_hidden_after_an_interrupt(capfd):
    with pytest.raises(KeyboardInterrupt), hidden_stderr():
        os.write(2, b"hidden")
        raise KeyboardInterrupt
    assert capfd.readouterr().err == ""


def test_a_closed_stderr_is_left_closed(monkeypatch):
    def closed(descriptor):
        raise OSError("bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with hidden_stderr():
        reached = True
    assert reached


def test_nothing_stays_open():
    load_tensorflow()
    before = len(os.listdir("/proc/self/fd"))
    load_tensorflow()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("text", ["auto", "loop", "grouped", "grouped:512MB"])
def test_attention_implementation(text):
    assert attention_implementation(text) == text


@pytest.mark.parametrize("text", ["", "grouped:", "grouped:0GB", "grouped:2", "2GB:x"])
def test_what_is_no_attention_implementation(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"got {text!r}"):
        attention_implementation(text)
