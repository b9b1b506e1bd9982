import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from tf_led.training.workers import (
    MARK,
    make_strategy,
    num_workers,
    read_tf_config,
    run_workers,
    without_autotune,
    worker_index,
)

WORKER = """
import time
from tf_led.training.workers import end_with_parent
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


@pytest.mark.slow
def test_it_ends_with_the_pipe_that_its_starter_held(start):
    worker = start(**{MARK: "1"})
    assert worker.poll() is None
    worker.stdin.close()  # what the system does when the starter is killed
    worker.stdin = None
    assert worker.wait(30) == 1


@pytest.mark.slow
def test_nobody_who_did_not_ask_is_ended(start):
    worker = start()
    worker.stdin.close()
    worker.stdin = None
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.3)


TWO = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize("text", ["", " ", "{}", '{"environment": "cloud"}'])
def test_nothing_named_is_alone(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert read_tf_config() == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "{cluster",
        '["a:1"]',
        '{"task": {"index": "x"}}',
        '{"cluster": {"worker": "a:1"}}',
    ],
)
def test_a_broken_environment_is_named(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError) as caught:
        read_tf_config()
    assert text in str(caught.value) and "host1:2222" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "index"), [("worker", 2), ("worker", -1), ("chief", 0), ("ps", 0)]
)
def test_a_task_that_is_not_there_is_named(monkeypatch, kind, index):
    config = {"cluster": TWO, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    message = f"the task {index} of type '{kind}', .* 0 of type 'chief' and 2 of"
    with pytest.raises(ValueError, match=message):
        read_tf_config()


def config(monkeypatch, **fields):
    monkeypatch.setenv("TF_CONFIG", json.dumps(fields))


def test_alone(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert (num_workers(), worker_index()) == (1, 0)
    assert make_strategy() is tf.distribute.get_strategy()


def test_a_cluster_of_one_is_alone(monkeypatch):
    config(monkeypatch, cluster={"worker": ["a:1"]}, task={"type": "worker"})
    assert make_strategy() is tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("kind", "index", "place"), [("chief", 0, 0), ("worker", 1, 2)]
)
def test_a_chief_is_the_first_worker(monkeypatch, kind, index, place):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    config(monkeypatch, cluster=cluster, task={"type": kind, "index": index})
    assert (num_workers(), worker_index()) == (3, place)


def test_tuning_is_off():
    batches = without_autotune(tf.data.Dataset.range(5))
    assert batches.options().autotune.enabled is False
    assert [int(n) for n in batches] == [0, 1, 2, 3, 4]


REPORT = """
import os, stat, sys
from tf_led.training.workers import MARK
assert os.environ[MARK] and stat.S_ISFIFO(os.fstat(0).st_mode)
open(f"{sys.argv[1]}/{os.getpid()}", "w").write(os.environ["TF_CONFIG"])
"""


@pytest.mark.slow
def test_every_process_knows_its_place(tmp_path):
    assert run_workers([sys.executable, "-c", REPORT, str(tmp_path)], 3) == 0
    configs = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert sorted(one["task"]["index"] for one in configs) == [0, 1, 2]
    addresses = configs[0]["cluster"]["worker"]
    assert len(set(addresses)) == 3
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert all(one["cluster"] == configs[0]["cluster"] for one in configs)


FAIL = """
import json, os, sys, time
if json.loads(os.environ["TF_CONFIG"])["task"]["index"] == 1:
    sys.exit(7)
time.sleep(60)
"""


def test_one_that_fails_stops_the_others():
    assert run_workers([sys.executable, "-c", FAIL], 2) == 7


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_bad_counts_raise(count):
    with pytest.raises(ValueError, match=f"`workers` must be .* got {count}"):
        run_workers(["true"], count)
