"""Spoils files of every kind, has each read within limits, and collects failures."""

import json
import os
import random
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

from tests.fuzz.mutate import mutate
from tests.fuzz.readers import READERS

REPOSITORY = Path(__file__).parents[2]
PAGE = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 1 << 20


class Worker:
    """A process that reads files, ended and begun again where one is too much for it.

    Args:
        folder: Path for its files, made by it if need be.
        slack: number, by which the limits on time are multiplied: what else runs on
            the machine takes time, too.
        command: list of str that starts it; None for `tests.fuzz.worker`.
    """

    def __init__(self, folder, slack=1, command=None):
        self.folder, self._slack = folder, slack
        own = [sys.executable, "-m", "tests.fuzz.worker", str(folder)]
        self._command = command or own
        self._process = None

    def __enter__(self):
        self.begin()
        return self

    def __exit__(self, *_):
        self._end()

    def begin(self):
        """Starts the process, unless it runs: it makes the files and reads each once.

        It could not while one of them is spoiled.
        """
        if self._process is not None:
            return
        log = open(f"{self.folder}.log", "a")  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        log.close()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker did not start: see {self.folder}.log")

    def _end(self):
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None

    def read(self, reader, path):
        """Has a file read.

        Args:
            reader: str, a key of `READERS`.
            path: Path.

        Returns:
            dict with `end`: "read", "rejected", "failed", "too slow", "too large" or
            "died".
        """
        self.begin()
        # A second and 200 MB, and what is in proportion to the file.
        size = path.stat().st_size / MEGABYTE
        seconds = READERS[reader].seconds if reader in READERS else 1
        deadline = time.monotonic() + self._slack * (seconds + 10 * size)
        most = self._memory() + (200 + 100 * size) * MEGABYTE
        print(f"{reader}\t{path}", file=self._process.stdin, flush=True)
        end = None
        while end is None:
            if select.select([self._process.stdout], [], [], 0.02)[0]:
                line = self._process.stdout.readline()
                if line:
                    return json.loads(line)
                end = "died"
            elif time.monotonic() > deadline:
                end = "too slow"
            elif self._memory() > most:
                end = "too large"
        self._end()
        return {"end": end}

    def _memory(self):
        statm = Path(f"/proc/{self._process.pid}/statm")
        return int(statm.read_text().split()[1]) * PAGE if statm.exists() else 0


def attack(worker, reader, rng):
    """Spoils a file once and has it read.

    Args:
        worker: `Worker`.
        reader: str, a key of `READERS`.
        rng: random.Random.

    Returns:
        dict as `Worker.read`; with the spoiled bytes under `blob`.
    """
    kind = READERS[reader]
    path = next(worker.folder.glob(kind.file))
    whole = path.read_bytes()
    spoiled = mutate(rng, whole, kind.file)
    worker.begin()
    try:
        path.write_bytes(spoiled)
        return {**worker.read(reader, path), "blob": spoiled}
    finally:
        path.write_bytes(whole)


def run(folder, seed, count=None, minutes=None, readers=tuple(READERS), slack=1):
    """Attacks every reader in turn.

    Args:
        folder: Path for the files; those that fail are kept in its `failures`.
        seed: int.
        count: int, how often for each reader; None for as long as there is time.
        minutes: number, after which to stop; None for no limit.
        readers: keys of `READERS`.
        slack: as for `Worker`.

    Returns:
        (dict of counts of each end by reader, list of str that describe failures).
    """
    rngs = {reader: random.Random(f"{seed} {reader}") for reader in readers}
    counts = {reader: {} for reader in readers}
    failures, began = [], time.monotonic()
    total = count and count * len(readers)
    bar = tqdm(total=total, unit="file", mininterval=5, file=sys.stderr)
    with Worker(folder / "files", slack) as worker, bar:
        rounds = 0
        while rounds != count:
            for reader in readers:
                if minutes is not None and time.monotonic() - began > 60 * minutes:
                    return counts, failures
                result = attack(worker, reader, rngs[reader])
                end = result["end"]
                counts[reader][end] = counts[reader].get(end, 0) + 1
                bar.update()
                if end not in ("read", "rejected"):
                    failures.append(_keep(folder, reader, seed, rounds, result))
            rounds += 1
    return counts, failures


def _keep(folder, reader, seed, number, result):
    kept = folder / "failures" / f"{seed}-{number}-{Path(READERS[reader].file).name}"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(result["blob"])
    return f"{reader}: {result['end']}: {result.get('error', '')} ({kept})"


def clear(folder):
    """Removes the files of an earlier run, not its failures."""
    shutil.rmtree(folder / "files", ignore_errors=True)
