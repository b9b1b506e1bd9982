"""Makes a LED's configuration of one of AllenAI's LongformerEncoderDecoder."""

from tf_led.checkpoints.convert.bart_config import led_config
from tf_led.checkpoints.errors import CheckpointError

_ARCHITECTURE = "LongformerEncoderDecoderForConditionalGeneration"
# Options of that model that LED does not have: the values with which both agree.
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
        CheckpointError: if a field has a value that LED does not support.
    """
    for name, allowed in _REQUIRED.items():
        if fields.get(name, allowed[0]) not in allowed:
            raise _unsupported(file, name, fields[name], allowed[0])
    dilation = fields.get("attention_dilation") or [1]
    if not isinstance(dilation, list) or any(step != 1 for step in dilation):
        raise _unsupported(file, "attention_dilation", dilation, "1 for every layer")
    windows = fields["attention_window"]
    if not isinstance(windows, list) or any(type(size) is not int for size in windows):
        raise _unsupported(file, "attention_window", windows, "a list of ints")
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
        raise _unsupported(file, name, value, "a positive int")
    return value


def _unsupported(file, name, value, allowed):
    return CheckpointError(
        f"{file} is of AllenAI's {_ARCHITECTURE} with `{name}` {value!r:.80}; a LED "
        f"needs {allowed}."
    )
