"""Many clients at a time on one SavedModel, for a while, in TensorFlow's C API.

    python tests/serving/load.py MODEL [--seconds 600] [--clients 8]

Each client asks for texts of mixed lengths in batches of mixed sizes, and sometimes for
what cannot be. Every answer must be the one that the same request got when it was
alone, every bad request must be rejected, and at the end the process must not hold more
memory than after the first minute (a tenth of the time, if that is shorter).
Exit code 1 and the reason otherwise.
"""

import argparse
import gc
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from c_api import Session, TensorFlowError  # noqa: E402

SIGNATURE = "generate_text"
SENTENCE = "The parser adds an argument; the argument has a name and a caf\u00e9."
LENGTHS = [0, 1, 7, 31, 113, 509, 1021, 2039]  # words; long ones are cut
BAD = [
    {"text": np.array([], object)},  # no row
    {"text": np.array([["a"], ["b"]], object)},  # a table
    {"text": np.array([[1, 2]], "int32")},
    {"text": np.array(["a"], object), "max_new_tokens": np.int32(0)},
    {"text": np.array(["a"], object), "max_new_tokens": np.int32(10**6)},
]
ALLOWED_GROWTH = 0.05  # of the resident memory


def make_requests(seed=0, count=24):
    """Requests of one to four texts."""
    rng = random.Random(seed)
    for _ in range(count):
        texts = []
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            words = SENTENCE.split()
            start = rng.randrange(len(words))
            words = (words * 200)[start : start + rng.choice(LENGTHS)]
            texts.append(" ".join(words))
        yield {"text": np.array(texts, object)}


def resident_mib():
    """Memory that this process holds, in MiB."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Client(threading.Thread):
    """Sends one request after the other until it is time, and counts."""

    def __init__(self, session, requests, expected, end, seed):
        super().__init__(daemon=True)
        self.counts, self.failures = Counter(), []
        self._session, self._requests, self._expected = session, requests, expected
        self._end, self._rng = end, random.Random(seed)

    def run(self):
        try:
            while time.monotonic() < self._end:
                self._ask_badly() if self._rng.random() < 0.05 else self._ask()
        except Exception as error:  # a thread would die in silence
            self.failures.append(f"{type(error).__name__}: {error}")

    def _ask(self):
        number = self._rng.randrange(len(self._requests))
        answer = self._session.run(SIGNATURE, **self._requests[number])
        self.counts["answers"] += 1
        if answer["generated_text"].tolist() != self._expected[number]:
            self.failures.append(f"request {number}: {answer['generated_text']}")

    def _ask_badly(self):
        request = self._rng.choice(BAD)
        try:
            self._session.run(SIGNATURE, **request)
        except TensorFlowError:
            self.counts["rejections"] += 1
        else:
            self.failures.append(f"answered: {request}")


def watch(clients, seconds):
    """Waits for the clients; returns [(second, MiB)]."""
    start, samples = time.monotonic(), []
    while any(client.is_alive() for client in clients):
        time.sleep(min(5, seconds / 20))
        gc.collect()
        samples.append((time.monotonic() - start, resident_mib()))
        failed = sum(len(client.failures) for client in clients)
        done = sum(client.counts["answers"] for client in clients)
        second, mib = samples[-1]
        print(f"{second:5.0f} s  {mib:7.1f} MiB  {done} answers  {failed} failures")
        sys.stdout.flush()
    return samples


def growth(samples, seconds):
    """Mean memory of the last tenth over that just after the first minute, less 1."""
    settled = min(60, seconds / 10)
    width = max(seconds / 10, 1)
    early = [mib for at, mib in samples if settled <= at < settled + width]
    late = [mib for at, mib in samples if at >= samples[-1][0] - width]
    return np.mean(late) / np.mean(early) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a numbered folder of an export, with texts")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=8)
    args = parser.parse_args()
    session = Session(args.model)
    requests = list(make_requests())
    expected = [
        session.run(SIGNATURE, **r)["generated_text"].tolist() for r in requests
    ]
    print(f"{len(requests)} requests, {len({str(e) for e in expected})} answers")
    end = time.monotonic() + args.seconds
    clients = [
        Client(session, requests, expected, end, seed) for seed in range(args.clients)
    ]
    for client in clients:
        client.start()
    samples = watch(clients, args.seconds)
    counts = sum((client.counts for client in clients), Counter())
    failures = [failure for client in clients for failure in client.failures]
    grown = growth(samples, args.seconds)
    print(f"{dict(counts)}, {len(failures)} failures, memory {grown:+.1%}")
    if failures or grown > ALLOWED_GROWTH or not counts["rejections"]:
        sys.exit("\n".join(failures[:5]) or "memory grew, or nothing was rejected")


if __name__ == "__main__":
    main()
