"""Ctrl-C while the command starts is one line and code 130, whatever is imported."""

import signal
import subprocess
import sys

import pytest

INTERRUPTED_AT = """
import importlib.abc, os, signal, sys
class Interrupter(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
from tf_led.cli.start import main
sys.argv = ["tf-led", {command!r}, *{rest!r}]
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("tf_led.cli.main", "evaluate"),
        ("argparse", "evaluate"),
        ("tf_led.cli.evaluate", "evaluate"),
        ("numpy", "evaluate"),
        ("tensorflow", "evaluate"),
        ("tensorflow.python.framework.ops", "evaluate"),
        ("keras", "evaluate"),
        ("tf_led.cli.train.command", "train"),
        ("tf_led.training.workers", "train"),
    ],
)
def test_an_interrupt_while_a_module_is_imported(module, command, tmp_path):
    script = tmp_path / "start.py"
    options = {"evaluate": ["--data", __file__]}
    options["train"] = ["--train", __file__, "--output", str(tmp_path / "out")]
    source = INTERRUPTED_AT.format(
        module=module, command=command, rest=options[command]
    )
    script.write_text(source)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        # A shell has what it runs in the background ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 130, done.stderr
    assert lines[-1] == "tf-led: interrupted" and "Traceback" not in done.stderr
