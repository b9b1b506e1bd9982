"""A LED's configuration out of one of AllenAI's own LongformerEncoderDecoder."""

import re

from tf_led.checkpoints.convert.bart_config import led_config
from tf_led.checkpoints.errors import CheckpointError
from tf_led.checkpoints.names import pytorch as names

_ARCHITECTURE = "LongformerEncoderDecoderForConditionalGeneration"
# What that model could do and LED cannot: the values that LED understands.
_REQUIRED = {"attention_mode": ("sliding_chunks", "tvm"), "autoregressive": (False,)}
_DROPPED = ("attention_dilation", "attention_mode", "autoregressive", "architectures")


def is_allenai(fields):
    """Whether a config.json is AllenAI's: a BART's with windows.

    Args:
        fields: dict.

    Returns:
        bool.
    """
    is_bart = fields.get("model_type", "bart") == "bart"
    return is_bart and "attention_mode" in fields and "attention_window" in fields


def led_fields(fields, file):
    """Translates a config.json of AllenAI's.

    Args:
        fields: dict of its content; not changed.
        file: str, for messages.

    Returns:
        dict, the fields of a LEDConfig. Windows are twice as wide: AllenAI counts the
        tokens on one side only.

    Raises:
        CheckpointError: if the model does what LED cannot, or a field is broken.
    """
    for name, allowed in _REQUIRED.items():
        if fields.get(name, allowed[0]) not in allowed:
            raise _refusal(file, name, fields[name], allowed[0])
    dilation = fields.get("attention_dilation") or [1]
    if not isinstance(dilation, list) or any(step != 1 for step in dilation):
        raise _refusal(file, "attention_dilation", dilation, "1 for every layer")
    windows = fields["attention_window"]
    if not isinstance(windows, list) or any(type(size) is not int for size in windows):
        raise _refusal(file, "attention_window", windows, "a list of ints")
    bart = {name: value for name, value in fields.items() if name not in _DROPPED}
    config = led_config(
        {**bart, "model_type": "bart"},
        max_positions=_positions(fields, "encoder", file),
        max_decoder_positions=_positions(fields, "decoder", file),
    ).to_dict()
    return {**config, "attention_window": [2 * size for size in windows]}


def _positions(fields, half, file):
    name = f"max_{half}_position_embeddings"
    value = fields.get(name)
    if type(value) is not int or value < 1:
        raise _refusal(file, name, value, "a positive int")
    return value


def _refusal(file, name, value, wanted):
    return CheckpointError(
        f"{file} is of AllenAI's {_ARCHITECTURE} with `{name}` {value!r:.80}; a LED "
        f"needs {wanted}."
    )


_PREFIX = "model."
_TELLTALE = re.compile(
    r"model\.encoder\.layers\.\d+\.self_attn\.longformer_self_attn\."
)
_RESERVED = 2


def has_allenai_names(keys):
    """Whether a file's keys are those of AllenAI's model.

    Args:
        keys: iterable of str.

    Returns:
        bool.
    """
    return any(_TELLTALE.match(key) for key in keys)


def without_reserved(array):
    """Drops the two rows of a position table [S + 2, D] that no token uses."""
    return array[_RESERVED:]


def to_led(key):
    """Returns the name that PyTorch's LED has for one of AllenAI's."""
    return f"led.{key[len(_PREFIX) :]}" if key.startswith(_PREFIX) else key


def to_ours(key):
    """Finds our path for one of AllenAI's names.

    Args:
        key: str.

    Returns:
        (path, transform) as `names.to_ours`; None if LED has no such weight.

    Example:
        >>> from tf_led.checkpoints.convert.allenai import to_ours
        >>> path, transform = to_ours("model.encoder.embed_positions.weight")
        >>> path, transform.__name__
        ('encoder/embed_positions/embeddings', 'without_reserved')
    """
    row = names.to_ours(to_led(key))
    if row is not None and row[0].endswith("/embed_positions/embeddings"):
        return row[0], without_reserved
    return row
