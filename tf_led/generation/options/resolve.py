"""From a GenerationConfig and keyword arguments to one set of resolved options."""

import copy
import difflib
import logging
import numbers
import warnings

import numpy as np
from transformers import GenerationConfig

from tf_led.generation.options.generation_options import (
    DEFAULTS,
    METADATA,
    NEUTRAL_VALUES,
    GenerationOptions,
    check_values,
)
from tf_led.generation.processors.validation import as_ids

_logger = logging.getLogger(__name__)


def resolve_lengths(values, *, lengths_set, prompt_len, position_limit):
    """Turns the four options of length into `max_length` and `min_length`, in place.

    Args:
        values: dict of option values by name.
        lengths_set: dict with the keys "max_length" and "min_length": True where
            somebody set the option, False where the default stands.
        prompt_len: int, length of the decoder prompt.
        position_limit: int or None, number of positions of the decoder.

    Raises:
        ValueError: if there is no room after the prompt, or not so many positions.

    Source: transformers 5.23, `_prepare_generated_length` and
    `_validate_generated_length`: 20 new tokens where nothing is said, `max_new_tokens`
    before `max_length`, `min_new_tokens` before `min_length`.
    """
    for bound in ("max", "min"):
        _prefer_new_tokens(values, bound, lengths_set[f"{bound}_length"], prompt_len)
    if not lengths_set["max_length"] and values["max_new_tokens"] is None:
        values["max_length"] += prompt_len
        warnings.warn(
            "Neither `max_new_tokens` nor `max_length` is set: generating at most "
            f"{values['max_length'] - prompt_len} new tokens. Set `max_new_tokens`.",
            UserWarning,
            stacklevel=4,
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
            stacklevel=5,
        )


def resolve_special_tokens(values):
    """Fills in the start and the padding id and checks all of them, in place.

    Without a padding id the first end id pads; without a decoder start id the bos id
    starts.

    Args:
        values: dict of option values by name.

    Raises:
        ValueError: if nothing can start the decoder, or if an id is not an int >= 0.

    Source: transformers 5.23, `_prepare_special_tokens`.
    """
    if values["decoder_start_token_id"] is None:
        values["decoder_start_token_id"] = values["bos_token_id"]
    if values["decoder_start_token_id"] is None:
        raise ValueError(
            "Neither `decoder_start_token_id` nor `bos_token_id` is set: the decoder "
            "has no token to start from. Set one of them."
        )
    eos_ids = values["eos_token_id"]
    if isinstance(eos_ids, (list, tuple)):
        values["eos_token_id"] = list(eos_ids) or None
    for name in ("decoder_start_token_id", "eos_token_id", "pad_token_id"):
        _check_ids(name, values[name])
    if values["pad_token_id"] is None and values["eos_token_id"] is not None:
        eos_ids = values["eos_token_id"]
        values["pad_token_id"] = eos_ids[0] if isinstance(eos_ids, list) else eos_ids


def _check_ids(name, ids):
    for token_id in ids if isinstance(ids, list) else [ids]:
        is_id = isinstance(token_id, numbers.Integral) and not isinstance(
            token_id, bool
        )
        if token_id is not None and not (is_id and token_id >= 0):
            raise ValueError(
                f"`{name}` must be a token id, an int from 0 on, got {token_id!r}."
            )


def check_vocabulary(options, vocab_size):
    """Refuses special tokens that the vocabulary does not have.

    Args:
        options: GenerationOptions.
        vocab_size: int, V.

    Raises:
        ValueError: naming the option and the id.
    """
    for name in ("decoder_start_token_id", "eos_token_id", "pad_token_id"):
        ids = getattr(options, name)
        for token_id in ids if isinstance(ids, (list, tuple)) else [ids]:
            if token_id is not None and token_id >= vocab_size:
                raise ValueError(
                    f"`{name}` is {token_id}, but the vocabulary has ids 0 to "
                    f"{vocab_size - 1}. Take the ids from this model's tokenizer."
                )


# Left unset or set to None, these stand at their default. For the others None is an
# answer: `top_k=None` switches the default of 50 off.
_NEVER_NONE = (
    "max_length",
    "min_length",
    "early_stopping",
    "do_sample",
    "num_beams",
    "num_beam_groups",
    "diversity_penalty",
    "length_penalty",
    "num_return_sequences",
    "use_cache",
    "return_dict_in_generate",
)


def resolve_options(
    generation_config=None,
    *,
    defaults=None,
    overrides=None,
    prompt_len=1,
    position_limit=None,
):
    """Merges everything a user can set for one call of `generate`.

    `overrides` win over `generation_config`, that over `defaults`, those over the
    defaults of transformers 5.23. Neither configuration is changed.

    Args:
        generation_config: transformers' GenerationConfig given to the call, or None.
        defaults: the model's own GenerationConfig (generation_config.json), or None.
        overrides: dict of option names and values: the keyword arguments of the call.
        prompt_len: int >= 1, length of the decoder prompt with its start token;
            `max_new_tokens` and `min_new_tokens` count from there.
        position_limit: int or None, number of positions of the decoder. The last token
            is never fed back, so `max_length` may be one more.

    Returns:
        GenerationOptions, in which `max_length` and `min_length` count the prompt.

    Raises:
        TypeError: if a configuration is not a GenerationConfig.
        ValueError: on an unknown name, on an option that is not supported, on values
            that contradict each other, on a `max_length` that is not longer than the
            prompt or goes beyond `position_limit`.

    Source: transformers 5.23, `GenerationMixin.generate`.

    Example:
        >>> from transformers import GenerationConfig
        >>> from tf_led.generation.options.resolve import resolve_options
        >>> model_config = GenerationConfig(decoder_start_token_id=2, eos_token_id=2)
        >>> options = resolve_options(
        ...     defaults=model_config, overrides={"num_beams": 4, "max_new_tokens": 64}
        ... )
        >>> options.num_beams, options.max_length, options.pad_token_id
        (4, 65, 2)
    """
    overrides = {name: plain(value) for name, value in (overrides or {}).items()}
    if overrides.get("suppress_tokens") is not None:
        # transformers looks into it before we could say what is wrong.
        ids = as_ids("suppress_tokens", overrides["suppress_tokens"], lowest=0)
        overrides["suppress_tokens"] = list(ids)
    sources = (overrides, _fields(generation_config), _fields(defaults))
    _refuse_unknown(overrides, known=set(vars(GenerationConfig())))
    _refuse_unsupported(overrides)
    config = _merge(generation_config, defaults, overrides)
    _refuse_unsupported(vars(config))
    values = {name: plain(getattr(config, name)) for name in DEFAULTS}
    for name in _NEVER_NONE:
        if values[name] is None:
            values[name] = DEFAULTS[name]
    check_values(values)
    lengths_set = {
        name: any(source.get(name) is not None for source in sources)
        for name in ("max_length", "min_length")
    }
    resolve_lengths(
        values,
        lengths_set=lengths_set,
        prompt_len=prompt_len,
        position_limit=position_limit,
    )
    resolve_special_tokens(values)
    return GenerationOptions(**values)


def plain(value):
    """Turns NumPy's numbers and arrays into Python's, which alone can be a key.

    Args:
        value: of an option.

    Returns:
        int, float, bool or list for what NumPy made; else the value itself.
    """
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _fields(config):
    if config is None:
        return {}
    if not isinstance(config, GenerationConfig):
        raise TypeError(
            "`generation_config` must be a transformers GenerationConfig, got "
            f"{type(config).__name__}. Pass single options as keyword arguments."
        )
    return vars(config)


def _merge(generation_config, defaults, overrides):
    config = copy.deepcopy(generation_config) or GenerationConfig()
    if defaults is not None:
        config.update(
            **defaults.to_dict(), defaults_only=True, allow_custom_entries=True
        )
    config.update(**DEFAULTS, defaults_only=True)
    config.update(**overrides)
    return config


def _refuse_unknown(overrides, known):
    known = {name for name in known if not name.startswith("_")}
    for name in overrides:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise ValueError(
                f"`generate` has no argument or option `{name}` (got "
                f"{overrides[name]!r}).{hint}"
            )


def _refuse_unsupported(fields):
    for name, value in fields.items():
        is_ours = name in DEFAULTS or name in METADATA or name.startswith("_")
        asks_nothing = value is None or value is False
        if is_ours or asks_nothing or value in NEUTRAL_VALUES.get(name, ()):
            continue
        raise ValueError(
            f"The generation option `{name}` is not supported, got {value!r}. Leave it "
            "out, or set it to None in the GenerationConfig."
        )
