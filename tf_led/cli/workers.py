"""Several processes that train one model: found by TF_CONFIG, or started here."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

from tf_led.cli.errors import UsageError


def worker_task():
    """Who this process is, by the environment variable TF_CONFIG.

    Returns:
        (index, number of workers); (0, 1) where there is no cluster.

    Raises:
        UsageError: if TF_CONFIG is no cluster's description.

    Example:
        >>> from tf_led.cli.workers import worker_task
        >>> worker_task()
        (0, 1)
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 0, 1
    try:
        cluster = json.loads(text)
        task = cluster.get("task", {"type": "worker", "index": 0})
        workers = cluster.get("cluster", {}).get("worker", ["alone"])
        if task["type"] != "worker":
            raise ValueError(f"its task is a {task['type']!r}, not a 'worker'")
        return int(task["index"]), len(workers)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"TF_CONFIG {text:.60}: {error}") from None


def num_workers():
    """The number of processes that train together.

    Returns:
        int.
    """
    return worker_task()[1]


def is_chief():
    """Whether this process is the one that writes.

    Returns:
        bool.
    """
    return worker_task()[0] == 0


def run_workers(argv, number):
    """Runs a command in several processes on this machine, as one cluster.

    Args:
        argv: list of str, the command without the program.
        number: int, how many.

    Returns:
        The exit code of the first that failed, or 0.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(number)]
    with contextlib.ExitStack() as stack:
        said = [stack.enter_context(tempfile.TemporaryFile()) for _ in addresses]
        workers = [start(argv, addresses, i, said[i]) for i in range(number)]
        try:
            failed = wait_for(workers)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        if failed is None:
            return 0
        if failed > 0:  # the first one speaks for itself
            said[failed].seek(0)
            sys.stderr.write(said[failed].read().decode(errors="replace"))
        return workers[failed].returncode


def start(argv, addresses, index, said):
    """Starts one worker; only the first one's words are the user's to read."""
    config = {
        "cluster": {"worker": addresses},
        "task": {"type": "worker", "index": index},
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tf_led.cli.main", *argv],
        env={**os.environ, "TF_CONFIG": json.dumps(config)},
        stdout=None if index == 0 else subprocess.DEVNULL,
        stderr=None if index == 0 else said,
    )


def wait_for(workers):
    """Waits for all, but no longer once one has failed: the others would hang.

    Args:
        workers: list of subprocess.Popen.

    Returns:
        Index of the first that failed; None if none did.
    """
    while True:
        codes = [worker.poll() for worker in workers]
        for index, code in enumerate(codes):
            if code:
                return index
        if None not in codes:
            return None
        time.sleep(0.2)


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
