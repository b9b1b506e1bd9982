"""The environment variable by which TensorFlow's processes find each other."""

import json
import os

# The first of them come first: worker 0 is the chief where there is one.
KINDS = ("chief", "worker")


def read_tf_config():
    """Reads how many workers there are and which of them this process is.

    Returns:
        Two int; 1 and 0 without TF_CONFIG, or where it names no worker.

    Raises:
        ValueError: if TF_CONFIG is no JSON of a cluster and a task in it.

    Example:
        >>> from tf_led.training.tf_config import read_tf_config
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
