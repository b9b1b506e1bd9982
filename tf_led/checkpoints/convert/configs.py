"""Makes a LED's configuration of a BART's, or of one of AllenAI's own models."""

import numpy as np
from huggingface_hub.errors import StrictDataclassError
from transformers import BartConfig, LEDConfig

from tf_led.checkpoints.errors import CheckpointError, one_line
from tf_led.checkpoints.json_files import check_num_labels
from tf_led.utils.validation import as_positive_int
from tf_led.utils.versions import config_from_dict


def tile_rows(table, num_rows):
    """Repeats a table's rows from the first on until there are enough, or cuts it.

    Args:
        table: array[P, D].
        num_rows: int, P'.

    Returns:
        array[P', D] in the dtype of `table`; row i is row i modulo P of `table`.

    Example:
        >>> import numpy as np
        >>> from tf_led.checkpoints.convert.configs import tile_rows
        >>> tile_rows(np.array([[1], [2], [3]]), 5)[:, 0].tolist()
        [1, 2, 3, 1, 2]
    """
    return table[np.arange(num_rows) % len(table)]


# Options of early BARTs and their relatives, with the only value that LED supports.
_REQUIRED = {
    "scale_embedding": False,
    "normalize_before": False,
    "add_final_layer_norm": False,
    "static_position_embeddings": False,
    "normalize_embedding": True,
}
# Fields that LED does not have, or that mean something else there.
_DROPPED = {
    *_REQUIRED,
    "_name_or_path",
    "add_bias_logits",
    "architectures",
    "extra_pos_embeddings",
    "gradient_checkpointing",
    "is_decoder",
    "max_position_embeddings",
    "model_type",
    "num_hidden_layers",
    "transformers_version",
}


def led_config(
    fields, *, attention_window=1024, max_positions=16384, max_decoder_positions=None
):
    """Makes the configuration of the LED that a BART becomes.

    Args:
        fields: dict, the content of a BART's config.json; not changed.
        attention_window: int, the whole window of every encoder layer, even.
        max_positions: int, positions of the encoder.
        max_decoder_positions: int, positions of the decoder; None for as many as BART
            has.

    Returns:
        `LEDConfig`; fields that BART does not know are kept.

    Raises:
        CheckpointError: if `fields` are not a BART's, or have values that LED does
            not support.
        ValueError: if another argument is not allowed.

    Example:
        >>> from tf_led.checkpoints.convert.configs import led_config
        >>> config = led_config({"model_type": "bart", "d_model": 512})
        >>> config.d_model, config.attention_window
        (512, 1024)
        >>> config.max_encoder_position_embeddings
        16384
    """
    bart = _read(fields)
    window = as_positive_int("attention_window", attention_window)
    if window % 2:
        raise ValueError(
            f"`attention_window` must be even, got {window}. Try {window + 1}."
        )
    decoder_positions = bart["max_position_embeddings"]
    if max_decoder_positions is not None:
        decoder_positions = as_positive_int(
            "max_decoder_positions", max_decoder_positions
        )
    kept = {name: value for name, value in bart.items() if name not in _DROPPED}
    return config_from_dict(
        LEDConfig,
        {
            **kept,
            "architectures": [_architecture(name) for name in _architectures(fields)],
            "attention_window": window,
            "max_encoder_position_embeddings": as_positive_int(
                "max_positions", max_positions
            ),
            "max_decoder_position_embeddings": decoder_positions,
        },
    )


def _read(fields):
    if fields.get("model_type") != "bart":
        raise CheckpointError(
            f"config.json is of model type {fields.get('model_type')!r}, not 'bart'."
        )
    for name, value in _REQUIRED.items():
        if bool(fields.get(name, value)) != value:
            raise CheckpointError(
                f"config.json has `{name}` {fields[name]!r}; a LED can only be made of "
                f"a BART with {value}."
            )
    check_num_labels(fields)
    try:
        # With the defaults of the fields left out.
        return config_from_dict(BartConfig, fields).to_dict()
    except StrictDataclassError as error:
        raise CheckpointError(
            f"config.json has a field that BartConfig rejects: {one_line(error)}"
        ) from None


def _architectures(fields):
    return fields.get("architectures") or ["BartForConditionalGeneration"]


def _architecture(name):
    made = str(name).replace("Bart", "LED", 1)
    known = ("Model", "ForConditionalGeneration", "ForSequenceClassification")
    if made not in [f"LED{end}" for end in (*known, "ForQuestionAnswering")]:
        raise CheckpointError(f"config.json is of a {name!s:.80}, which has no LED.")
    return made


_ARCHITECTURE = "LongformerEncoderDecoderForConditionalGeneration"
# Options of that model that LED does not have: the values with which both agree.
_AGREEING = {"attention_mode": ("sliding_chunks", "tvm"), "autoregressive": (False,)}
_ALLENAI_ONLY = (*_AGREEING, "attention_dilation", "architectures")


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
    for name, allowed in _AGREEING.items():
        if fields.get(name, allowed[0]) not in allowed:
            raise _unsupported(file, name, fields[name], allowed[0])
    dilation = fields.get("attention_dilation") or [1]
    if not isinstance(dilation, list) or any(step != 1 for step in dilation):
        raise _unsupported(file, "attention_dilation", dilation, "1 for every layer")
    windows = fields["attention_window"]
    if not isinstance(windows, list) or any(type(size) is not int for size in windows):
        raise _unsupported(file, "attention_window", windows, "a list of ints")
    bart = {name: value for name, value in fields.items() if name not in _ALLENAI_ONLY}
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
