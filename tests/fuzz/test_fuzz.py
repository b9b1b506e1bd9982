"""A short run of the fuzzers, and that they notice what they look for."""

import random
import sys

import pytest

from tests.fuzz import mutate as mutations
from tests.fuzz.fuzzing import Worker, run
from tests.fuzz.readers import READERS


def test_a_short_run(tmp_path):
    """Only our errors or a right answer; the limits are wide, as machines are busy."""
    counts, failures = run(tmp_path, seed=0, count=12, slack=30)
    assert failures == []
    assert counts.keys() == READERS.keys()
    rejected = sum(ends.get("rejected", 0) for ends in counts.values())
    assert rejected > 3 * len(READERS)


@pytest.mark.large
def test_a_long_run(tmp_path):
    _, failures = run(tmp_path, seed=1, minutes=20, slack=5)
    assert failures == []


STAND_IN = """
import json, os, sys, time
print(json.dumps({"end": "ready"}), flush=True)
for line in sys.stdin:
    reader = line.partition(chr(9))[0]
    if reader == "sleeper":
        time.sleep(60)
    if reader == "hoarder":
        held = [b"x" * (1 << 20) for _ in range(300)]
        time.sleep(60)
    if reader == "crasher":
        os._exit(3)
    print(json.dumps({"end": "read"}), flush=True)
"""


def test_what_is_too_much_is_ended_and_the_next_file_read(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    command = [sys.executable, "-c", STAND_IN]
    with Worker(tmp_path / "files", slack=2, command=command) as worker:
        ends = [
            worker.read(reader, file)["end"]
            for reader in ("good", "sleeper", "good", "hoarder", "crasher", "good")
        ]
    assert ends == ["read", "too slow", "read", "too large", "died", "read"]


def test_a_mutation_is_another_file_and_the_same_again():
    blob = b'{"a": [1, {"b": null}], "c": "text"}'
    for name in ("x.json", "x.jsonl", "x.bin"):
        made = [
            mutations.mutate(random.Random(seed), blob, name)
            for seed in [*range(40), *range(40)]
        ]
        assert made[:40] == made[40:]
        assert sum(one != blob for one in made) > 60
