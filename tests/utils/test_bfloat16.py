import os
import subprocess
import sys

import pytest

from tf_led.utils.bfloat16 import SWITCH, use_bfloat16_products


def run(source):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_tensorflow_finds_the_switch_set():
    assert run(
        "import os, sys, tf_led\n"
        f"assert {SWITCH!r} not in os.environ\n"
        "tf_led.use_bfloat16_products()\n"
        "assert 'tensorflow' not in sys.modules\n"
        f"print(os.environ[{SWITCH!r}])"
    ).endswith("BF16")


@pytest.mark.slow
def test_it_is_off_unless_asked(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    assert run(
        f"import os, tf_led; tf_led.TFLEDModel; print({SWITCH!r} in os.environ)"
    ).endswith("False")


def test_after_tensorflow_it_raises(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with pytest.raises(RuntimeError, match=f"after TensorFlow was loaded.*{SWITCH}"):
        use_bfloat16_products()
    assert SWITCH not in os.environ
