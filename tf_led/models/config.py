"""`LEDConfig` is transformers' own; here is what the models read out of it."""

from transformers import LEDConfig

__all__ = [
    "LEDConfig",
    "check_bound",
    "check_supported",
    "is_tied",
    "split_config",
    "window_radii",
]


def window_radii(config):
    """Half of every encoder layer's attention window.

    Args:
        config: LEDConfig. `attention_window` is the whole window, an even int for all
            layers or a list with one per layer. The config is not changed.

    Returns:
        Tuple of ints, one per encoder layer.

    Raises:
        ValueError: on an odd window, one below 2, or a list of the wrong length.

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
    for layer, window in enumerate(windows):
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
