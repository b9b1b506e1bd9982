import os
import subprocess
import sys

import pytest

from tf_led.training.parent import MARK

WORKER = """
import time
from tf_led.training.parent import end_with_parent
end_with_parent()
print("at work", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start():
    """Starts a worker, waits until it is at work, ends it after the test."""
    started = []

    def start(**environment):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        started.append(worker)
        assert worker.stdout.readline() == b"at work\n"
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def test_it_ends_with_the_pipe_that_its_starter_held(start):
    worker = start(**{MARK: "1"})
    assert worker.poll() is None
    worker.stdin.close()  # what the system does when the starter is killed
    worker.stdin = None
    assert worker.wait(30) == 1


def test_nobody_who_did_not_ask_is_ended(start):
    worker = start()
    worker.stdin.close()
    worker.stdin = None
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.3)
