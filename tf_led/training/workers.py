"""Several processes that train one model: which there are, and starting them."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Sequence

import tensorflow as tf

MARK = "TF_LED_ENDS_WITH_STDIN"


def end_with_parent():
    """Ends this process as soon as its standard input does, if `MARK` asks for it.

    Whoever starts a process with a pipe that nothing is written to, and `MARK` in its
    environment, takes it along: the system closes the pipe, however the starter ends.

    Example:
        >>> from tf_led.training.workers import end_with_parent
        >>> end_with_parent()  # nobody asks for it here
    """
    if os.environ.pop(MARK, None):  # not for what this process starts in turn
        threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end():
    while os.read(0, 1):
        pass
    os._exit(1)  # the main thread may be waiting for other workers


# The first of them come first: worker 0 is the chief where there is one.
KINDS = ("chief", "worker")


def read_tf_config():
    """Reads how many workers there are and which of them this process is.

    Returns:
        Two int; 1 and 0 without TF_CONFIG, or where it names no worker.

    Raises:
        ValueError: if TF_CONFIG is no JSON of a cluster and a task in it.

    Example:
        >>> from tf_led.training.workers import read_tf_config
        >>> read_tf_config()
        (1, 0)
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return 1, 0
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        addresses = {kind: cluster.get(kind, []) for kind in KINDS}
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
        is_right = all(isinstance(found, list) for found in addresses.values())
    except (ValueError, TypeError, AttributeError):
        is_right = False
    if not is_right:
        raise ValueError(
            f"TF_CONFIG is {text!r}, expected JSON such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}.'
        )
    return _place(addresses, kind, index)


def _place(addresses, kind, index):
    count = sum(map(len, addresses.values()))
    if not count:
        return 1, 0
    if not 0 <= index < len(addresses.get(kind, [])):
        held = [f"{len(found)} of type {kind!r}" for kind, found in addresses.items()]
        raise ValueError(
            f"TF_CONFIG has the task {index} of type {kind!r}, but its cluster has "
            f"{' and '.join(held)}."
        )
    return count, index + (len(addresses["chief"]) if kind == "worker" else 0)


# Seconds between two looks at the workers.
PATIENCE = 0.2


def make_strategy() -> tf.distribute.Strategy:
    """The strategy that this process is to train under.

    Returns:
        MultiWorkerMirroredStrategy where the environment has TF_CONFIG with several
        workers, MirroredStrategy where there are several GPUs, else the default
        strategy. Build and compile the model within its `scope()`. It must be made
        before anything is computed.

    Raises:
        ValueError: if TF_CONFIG is no JSON of a cluster and a task in it.

    Example:
        >>> from tf_led.training.workers import make_strategy
        >>> make_strategy().num_replicas_in_sync  # one process, no GPU
        1
    """
    end_with_parent()
    if num_workers() > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def num_workers() -> int:
    """How many workers TF_CONFIG names.

    Returns:
        int; 1 without TF_CONFIG.

    Raises:
        ValueError: if TF_CONFIG is no JSON of a cluster and a task in it.

    Example:
        >>> import os
        >>> from tf_led.training.workers import num_workers
        >>> "TF_CONFIG" in os.environ, num_workers()
        (False, 1)
    """
    return read_tf_config()[0]


def worker_index() -> int:
    """Which worker this process is; worker 0 is the one that writes files.

    Returns:
        int; 0 without TF_CONFIG.

    Raises:
        ValueError: if TF_CONFIG is no JSON of a cluster and a task in it.

    Example:
        >>> from tf_led.training.workers import worker_index
        >>> worker_index()
        0
    """
    return read_tf_config()[1]


def share_batches(
    batches: tf.data.Dataset, strategy: tf.distribute.Strategy
) -> tf.data.Dataset:
    """Lets every worker train on batches of its own.

    A step takes one batch of every worker; their lengths, rows and global tokens may
    differ. All workers need the same number of batches: the first to run out ends the
    epoch for all.

    Args:
        batches: `tf.data.Dataset` of this worker's batches.
        strategy: `tf.distribute.Strategy`.

    Returns:
        What to give to `fit` and `evaluate`.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.workers import make_strategy, share_batches
        >>> batches = tf.data.Dataset.from_tensors({"input_ids": [[0, 5, 2]]})
        >>> [sorted(batch) for batch in share_batches(batches, make_strategy())]
        [['input_ids']]
    """
    batches = without_autotune(batches)
    return strategy.distribute_datasets_from_function(lambda context: batches)


def without_autotune(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Turns off the tuning of a dataset's threads and buffers.

    When an epoch of a distributed dataset ends, TensorFlow 2.21 waits for the thread
    that does the tuning, which sleeps for up to a minute at a time.

    Args:
        batches: `tf.data.Dataset`.

    Returns:
        `tf.data.Dataset` of the same elements.

    Example:
        >>> import tensorflow as tf
        >>> from tf_led.training.workers import without_autotune
        >>> without_autotune(tf.data.Dataset.range(3)).options().autotune.enabled
        False
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def run_workers(command: Sequence[str], count: int) -> int:
    """Runs a command in several processes of this machine that train together.

    Each gets a TF_CONFIG of its own, on free ports of the loopback interface. If one
    fails, the others are stopped: they would wait for it for ever. If this process is
    killed, they end by themselves once they have called `make_strategy`.

    Args:
        command: list of str.
        count: int >= 1.

    Returns:
        int, the exit code: that of the first to fail, else 0.

    Raises:
        ValueError: if `count` is no int of at least 1.

    Example:
        >>> import sys
        >>> from tf_led.training.workers import run_workers
        >>> run_workers([sys.executable, "-c", "exit(3)"], count=2)
        3
    """
    if type(count) is not int or count < 1:
        raise ValueError(f"`workers` must be an int of at least 1, got {count!r}.")
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    workers = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # never written to: it ends when this process does
            env={**os.environ, MARK: "1", "TF_CONFIG": config},
        )
        for config in map(_config_of(addresses), range(count))
    ]
    try:
        return _wait(workers)
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
            worker.stdin.close()


def _wait(workers):
    while True:
        codes = [worker.poll() for worker in workers]
        failed = [code for code in codes if code]
        if failed or None not in codes:
            return failed[0] if failed else 0
        time.sleep(PATIENCE)


def _config_of(addresses):
    def make(index):
        task = {"type": "worker", "index": index}
        return json.dumps({"cluster": {"worker": addresses}, "task": task})

    return make


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
