"""The options of length: from counts of new tokens to lengths with the prompt."""

import logging
import warnings

from tf_led.generation.options.generation_options import GenerationOptions

_logger = logging.getLogger(__name__)


def resolve_lengths(values, *, lengths_set, prompt_len, position_limit):
    """Turns the four options of length into `max_length` and `min_length`, in place.

    Args:
        values: dict of option values by name.
        lengths_set: set of those of "max_length" and "min_length" that somebody set.
        prompt_len: int, length of the decoder prompt.
        position_limit: int or None, number of positions of the decoder.

    Raises:
        ValueError: if `max_length` is not longer than the prompt, or longer than the
            decoder has positions.

    Source: transformers 5.23, `_prepare_generated_length` and
    `_validate_generated_length`: 20 new tokens where nothing is said, `max_new_tokens`
    before `max_length`, `min_new_tokens` before `min_length`.
    """
    for bound in ("max", "min"):
        _prefer_new_tokens(values, bound, f"{bound}_length" in lengths_set, prompt_len)
    if "max_length" not in lengths_set and values["max_new_tokens"] is None:
        values["max_length"] += prompt_len
        warnings.warn(
            "Neither `max_new_tokens` nor `max_length` is set: generating at most "
            f"{values['max_length'] - prompt_len} new tokens. Set `max_new_tokens`.",
            UserWarning,
            stacklevel=5,
        )
    _check_max_length(values["max_length"], prompt_len)
    if position_limit is not None:
        _check_positions(values, position_limit)
    _warn_if_min_beyond_max(values)


def _prefer_new_tokens(values, bound, is_length_set, prompt_len):
    new_tokens, length = values[f"{bound}_new_tokens"], values[f"{bound}_length"]
    if new_tokens is None:
        return
    if is_length_set:
        _logger.warning(
            "`%s_new_tokens` (%s) and `%s_length` (%s) are both set; the first counts.",
            *(bound, new_tokens, bound, length),
        )
    values[f"{bound}_length"] = new_tokens + prompt_len


def _check_max_length(max_length, prompt_len):
    if prompt_len >= max_length:
        raise ValueError(
            f"`max_length` is {max_length}, but the decoder prompt alone is "
            f"{prompt_len} tokens long. Raise `max_length` or set `max_new_tokens`."
        )


def _check_positions(values, limit):
    # The last token is never read, but by contrastive search.
    reads_last = GenerationOptions(**values).mode == "contrastive_search"
    most = limit if reads_last else limit + 1
    if values["max_length"] > most:
        raise ValueError(
            f"`max_length` (prompt and `max_new_tokens`) is {values['max_length']}, "
            f"but the decoder has {limit} positions, which allow at most {most}. Lower "
            "`max_length` or `max_new_tokens`."
        )


def _warn_if_min_beyond_max(values):
    if values["min_length"] > values["max_length"]:
        name = "min_length" if values["min_new_tokens"] is None else "min_new_tokens"
        warnings.warn(
            f"`{name}` ({values[name]}) is out of reach: generation stops at a length "
            f"of {values['max_length']}. Lower it, or raise `max_length`.",
            UserWarning,
            stacklevel=6,
        )
