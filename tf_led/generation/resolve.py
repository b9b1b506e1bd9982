"""From a GenerationConfig and keyword arguments to one set of resolved options."""

import copy
import difflib

import numpy as np
from transformers import GenerationConfig

from tf_led.generation.lengths import resolve_lengths
from tf_led.generation.option_checks import check_values
from tf_led.generation.option_names import DEFAULTS, METADATA, NEUTRAL_VALUES
from tf_led.generation.options import GenerationOptions
from tf_led.generation.processors.checks import as_ids
from tf_led.generation.special_tokens import resolve_special_tokens

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
        >>> from tf_led.generation.resolve import resolve_options
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
