"""Reads the JSON files of a checkpoint: whatever is wrong with one is our error."""

import json
from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError, one_line

# Bytes. An index of LED-large takes 70,000; each byte can become 100 in memory.
_MAX_SIZE = 1 << 24


def read_object(path):
    """Reads a file that holds a JSON object.

    Args:
        path: str or Path.

    Returns:
        dict.

    Raises:
        CheckpointError: if it holds anything else, naming the file.
        OSError: if it cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tf_led.checkpoints.json_files import read_object
        >>> _ = Path("config.json").write_text('{"d_model": 12}')
        >>> read_object("config.json")
        {'d_model': 12}
    """
    path = Path(path)
    size = path.stat().st_size
    if size > _MAX_SIZE:
        raise CheckpointError(
            f"`{path}` has {size} bytes; at most {_MAX_SIZE} are read."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # cut off, not text, too deep
        raise CheckpointError(
            f"`{path}` is not valid JSON: {one_line(error)}"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f"`{path}` is not a JSON object but {type(content).__name__}: "
            f"{one_line(content, 40)}"
        )
    return content


def write_object(path, fields):
    """Writes a file that holds a JSON object.

    Args:
        path: Path.
        fields: dict.
    """
    text = json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


# transformers' config classes make a dict entry for each.
_MOST_LABELS = 1 << 20


def check_num_labels(fields):
    """Checks `num_labels`: the names of the labels alone could fill the memory.

    Args:
        fields: dict, the content of a config.json.

    Raises:
        CheckpointError: naming it.

    Example:
        >>> from tf_led.checkpoints.json_files import check_num_labels
        >>> check_num_labels({"num_labels": 3})
    """
    count = fields.get("num_labels")
    if isinstance(count, (int, float)) and not 0 < count <= _MOST_LABELS:
        raise CheckpointError(
            f"The config has `num_labels` {count!r:.80}; allowed are 1 to "
            f"{_MOST_LABELS}."
        )
