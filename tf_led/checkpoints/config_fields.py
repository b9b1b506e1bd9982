"""What a config.json must not ask for, looked at before a config class reads it."""

from tf_led.checkpoints.errors import CheckpointError

# transformers' config classes make a dict entry for each.
_MOST_LABELS = 1 << 20


def check_num_labels(fields):
    """Refuses a number of labels whose names alone would fill the memory.

    Args:
        fields: dict, the content of a config.json.

    Raises:
        CheckpointError: naming it.

    Example:
        >>> from tf_led.checkpoints.config_fields import check_num_labels
        >>> check_num_labels({"num_labels": 3})
    """
    count = fields.get("num_labels")
    if isinstance(count, (int, float)) and not 0 < count <= _MOST_LABELS:
        raise CheckpointError(
            f"The config has `num_labels` {count!r:.80}; allowed are 1 to "
            f"{_MOST_LABELS}."
        )
