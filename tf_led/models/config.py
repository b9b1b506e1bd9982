"""What the models read out of LEDConfig, which fields raise, which may not change."""

from transformers import GenerationConfig, LEDConfig

__all__ = [
    "OPTION_NAMES",
    "LEDConfig",
    "built_fields",
    "check_bound",
    "check_supported",
    "check_unchanged",
    "is_tied",
    "split_config",
    "window_radii",
]

# Options of generation, which transformers 4 had in the config too.
OPTION_NAMES = frozenset(
    name
    for name in vars(GenerationConfig())
    if not name.startswith("_") and name != "transformers_version"
)

# Fields that ask for another model than LED: what is allowed, and what to do instead.
_OTHER_MODELS = {
    "is_encoder_decoder": ((True, None), "LED always has both: leave it out"),
    "is_decoder": ((False, None), "LED always has both: leave it out"),
    "add_cross_attention": ((False, None), "LED always has it: leave it out"),
    "cross_attention_hidden_size": ((None,), "it is always `d_model`: leave it out"),
    "pruned_heads": (({}, None), "use `head_mask` in the call"),
    "tie_encoder_decoder": (
        (False, None),
        "their layers differ: leave it out",
    ),
    "torchscript": ((False, None), "set `return_dict` to False for tuples"),
    "use_bfloat16": ((False, None), 'give `dtype="bfloat16"` to the model'),
    "tf_legacy_loss": ((False, None), "compile the model with a Keras loss"),
    "_attn_implementation": (
        (None, "eager"),
        "give `attention_implementation` to the model",
    ),
    "is_heterogeneous": ((False, None), "all layers are alike: leave it out"),
}

# Fields that are read while a model is built, and what changes them later.
_BUILT = {
    "vocab_size": "call `model.resize_token_embeddings`",
    "max_encoder_position_embeddings": "call `model.resize_position_embeddings`",
    "max_decoder_position_embeddings": "call `model.resize_position_embeddings`",
    "gradient_checkpointing": "call `model.gradient_checkpointing_enable`",
    "d_model": "",
    "encoder_layers": "",
    "decoder_layers": "",
    "encoder_attention_heads": "",
    "decoder_attention_heads": "",
    "encoder_ffn_dim": "",
    "decoder_ffn_dim": "",
    "encoder_layerdrop": "",
    "decoder_layerdrop": "",
    "activation_function": "",
    "dropout": "",
    "attention_dropout": "",
    "activation_dropout": "",
    "classifier_dropout": "",
    "tie_word_embeddings": "",
    "num_labels": "",
    "pooling": "",
    "attention_window": "call `model.set_attention_window`",
}


_ANY_WINDOW = 1024  # that of released checkpoints, whatever the positions


def window_radii(config):
    """Half of every encoder layer's attention window.

    Args:
        config: LEDConfig. `attention_window` is the whole window, an even int for all
            layers or a list with one per layer. The config is not changed.

    Returns:
        Tuple of ints, one per encoder layer.

    Raises:
        ValueError: on an odd window, one below 2 or far wider than any document, or a
            list of the wrong length.

    Example:
        >>> from tf_led import LEDConfig
        >>> from tf_led.models.config import window_radii
        >>> window_radii(LEDConfig(encoder_layers=2, attention_window=[4, 6]))
        (2, 3)
    """
    windows = config.attention_window
    if isinstance(windows, int):
        windows = [windows] * config.encoder_layers
    if len(windows) != config.encoder_layers:
        raise ValueError(
            f"`attention_window` lists {len(windows)} windows, {list(windows)}, for "
            f"{config.encoder_layers} encoder layers. Give one per layer, or one int."
        )
    # The window's graph grows with it, and no two tokens are further apart than these.
    widest = max(_ANY_WINDOW, 2 * config.max_encoder_position_embeddings)
    for layer, window in enumerate(windows):
        if window > widest:
            raise ValueError(
                f"`attention_window` is {window} for layer {layer}, and with "
                f"{config.max_encoder_position_embeddings} positions nothing more is "
                f"seen through one of more than {widest}. Give at most that."
            )
        if window < 2 or window % 2:
            raise ValueError(
                f"`attention_window` must be positive and even, got {window} for layer "
                f"{layer}. Try {max(2, window + window % 2)}."
            )
    return tuple(window // 2 for window in windows)


def check_supported(config):
    """Raises an error for a config that would be built as something else than it says.

    Raises:
        ValueError: naming the field.
    """
    window_radii(config)
    for name, (allowed, advice) in _OTHER_MODELS.items():
        value = getattr(config, name, None)
        if value not in allowed:
            raise ValueError(
                f"The config's `{name.removeprefix('_')}` is {value!r:.80}, which "
                f"would not be obeyed; {advice}."
            )


def built_fields(config):
    """Reads the fields that count while a model is built, and not later.

    Args:
        config: LEDConfig.

    Returns:
        dict of values by name.
    """
    return {name: _built_field(config, name) for name in _BUILT}


def _built_field(config, name):
    if name == "attention_window":  # an int and a list that repeats it are the same
        return [2 * radius for radius in window_radii(config)]
    return getattr(config, name, None)


def check_unchanged(config, built):
    """Checks that nobody has changed a field that a built model no longer reads.

    Args:
        config: LEDConfig of the model.
        built: dict of `built_fields`, as the model was built or edited.

    Raises:
        ValueError: naming the field, both values, and what to do.
    """
    for name in _BUILT:  # the windows last: their number depends on the layers
        value = _built_field(config, name)
        if value != built[name]:
            how = _BUILT[name] or f"build or load the model with `{name}={value!r:.40}`"
            raise ValueError(
                f"`model.config.{name}` was set to {value!r:.80}, but the model was "
                f"built with {built[name]!r:.80}: {how}."
            )
    check_supported(config)


def is_tied(config):
    """Whether one table embeds all tokens and scores them, as in nearly every LED."""
    return getattr(config, "tie_word_embeddings", True) is not False


def check_bound(max_global_tokens):
    """Raises unless `max_global_tokens` is a positive int or None.

    Raises:
        ValueError: naming it.
    """
    is_bound = isinstance(max_global_tokens, int) and max_global_tokens > 0
    if max_global_tokens is not None and not is_bound:
        raise ValueError(
            f"`max_global_tokens` is {max_global_tokens!r}; give a positive int, or "
            "None for no bound."
        )


def split_config(config):
    """Splits what a layer's `get_config` returned into LED's fields and the rest.

    Args:
        config: dict; not changed.

    Returns:
        The fields, for `LEDConfig.from_dict`, and the constructor's other arguments.
    """
    options = dict(config)
    return options.pop("config"), options


def _get_config(model) -> LEDConfig:
    """The LEDConfig; what was read while the model was built stays as it was."""
    if "_config" not in model.__dict__:
        raise AttributeError("config")  # Keras reads before it sets
    return model.__dict__["_config"]


def _set_config(model, value: LEDConfig) -> None:
    model.__dict__["_config"] = value
    led = model.__dict__.get("led")
    for part in () if led is None else (led, led.encoder, led.decoder):
        part.config = value


config = property(_get_config, _set_config)


def remember_config(model, *names: str) -> None:
    """Keeps the fields that the weights were made for; see `check_config`.

    Args:
        *names: str, those fields alone; none for all of them.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.config.dropout = 0.5
        >>> model.remember_config("dropout")
        >>> model.check_config()
    """
    fields = built_fields(model.config)
    kept = model.__dict__.get("_built_fields", fields)
    changed = {name: fields[name] for name in names or fields if name in fields}
    # Not by assignment: Keras would track the dict.
    model.__dict__["_built_fields"] = {**kept, **changed}


def check_config(model) -> None:
    """Checks that the config says what was built.

    Calls, `generate`, `fit` and its kin and all that saves do so first.

    Raises:
        ValueError: naming a field that was changed since, and what to do.

    Example:
        >>> from tf_led import TFLEDModel
        >>> from tf_led.testing import tiny_config
        >>> model = TFLEDModel(tiny_config())
        >>> model.config.dropout = 0.5
        >>> model.check_config()
        Traceback (most recent call last):
        ValueError: `model.config.dropout` was set to 0.5, but the model was ...
    """
    check_unchanged(model.config, model.__dict__["_built_fields"])
