"""Reads the JSON files of a checkpoint: whatever is wrong with one is our error."""

import json
import stat
from pathlib import Path

from tf_led.checkpoints.errors import CheckpointError, one_line

# The names of those that lie beside config.json and the weights.
GENERATION_CONFIG = "generation_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
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
    check_is_file(path)
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


def check_is_file(path):
    """Checks that a file is one: a device or a pipe may never end.

    Args:
        path: Path, of what is there.

    Raises:
        CheckpointError: if it is a directory, a device or a pipe.
        OSError: if it is not there.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "directory" if stat.S_ISDIR(mode) else "device or a pipe"
        raise CheckpointError(f"`{path}` is a {kind}, not a file.")


def write_object(path, fields):
    """Writes a file that holds a JSON object.

    Args:
        path: Path.
        fields: dict.
    """
    text = json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


# transformers' config classes make a dict entry for each.
_MOST_LABELS = 1 << 15


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
    count, named = fields.get("num_labels"), fields.get("id2label")
    most = max(_MOST_LABELS, len(named) if isinstance(named, dict) else 0)
    if isinstance(count, (int, float)) and not 0 < count <= most:
        raise CheckpointError(
            f"The config has `num_labels` {count!r:.80}; allowed are 1 to "
            f"{most}. For more give their names as `id2label`."
        )
