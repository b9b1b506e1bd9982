"""From a GenerationConfig and keyword arguments to one set of resolved options."""

import copy
import difflib

import keras
import numpy as np
import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation.options.build import resolve_lengths
from tf_led.generation.options.combinations import check_combinations
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.options.option_table import DEFAULTS, OPTIONS, SAMPLING
from tf_led.utils.validation import as_ids, known_number

# Options of transformers that we do not have, with the values that request nothing, as
# None does. Any other value of these raises, as does a name in neither table.
NEUTRAL_VALUES = {
    # A cache of fixed size is the only kind there is here.
    "cache_implementation": ("static",),
    "guidance_scale": (1, 1.0),
    "num_assistant_tokens_schedule": ("constant",),
    "assistant_confidence_threshold": (0.4,),
    "assistant_lookbehind": (10,),
    "target_lookbehind": (10,),
}

# With an `assistant_model`; more of them are read together, and more in vain.
DEFAULT_ASSISTANT_TOKENS = 5
_THEIR_ASSISTANT_TOKENS = 20  # transformers' default, which requests nothing

# A field of the configuration, but no option.
METADATA = ("transformers_version",)

# Nobody reads these where nothing is sampled, but for `top_k` of contrastive search.
_SAMPLING = {row.name for row in SAMPLING}
_SPECIAL_TOKENS = ("decoder_start_token_id", "eos_token_id", "pad_token_id")


def resolve_options(
    generation_config=None,
    *,
    defaults=None,
    overrides=None,
    prompt_len=1,
    position_limit=None,
    vocab_size=None,
):
    """Merges and checks everything a user can set for one call of `generate`.

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
        vocab_size: int V, or None to allow any token id.

    Returns:
        GenerationOptions, in which `max_length` and `min_length` count the prompt.

    Raises:
        TypeError: if a configuration is not a GenerationConfig.
        ValueError: on an unknown name, on an option that is not supported, on values
            that are not allowed or contradict each other, on a `max_length` that is not
            longer than the prompt or goes beyond `position_limit`, on special tokens
            beyond the vocabulary.

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
    merged = merge_options(generation_config, defaults, overrides)
    return merged.resolve(
        prompt_len=prompt_len, position_limit=position_limit, vocab_size=vocab_size
    )


def merge_options(
    generation_config=None,
    defaults=None,
    overrides=None,
    argument_names=(),
    has_assistant=False,
):
    """Merges and checks the values that do not depend on the decoder prompt.

    Args:
        generation_config: see `resolve_options`.
        defaults: see `resolve_options`.
        overrides: see `resolve_options`.
        argument_names: other names that the caller takes, to propose in an error.
        has_assistant: bool, whether an `assistant_model` was given.

    Returns:
        MergedOptions.

    Raises:
        TypeError: see `resolve_options`.
        ValueError: see `resolve_options`.
    """
    overrides, tensors = _python_values(overrides or {})
    sources = (overrides, _fields(generation_config), _fields(defaults))
    _check_names(overrides, argument_names)
    _check_supported(overrides)
    # Before transformers compares them with numbers.
    _check_values(overrides, exempt=_SAMPLING)
    config = _merge(generation_config, defaults, overrides)
    _check_supported(vars(config))
    values = {
        name: _python_value(name, getattr(config, name, default))
        for name, default in DEFAULTS.items()
    }
    for name, value in values.items():
        if value is None:
            row = OPTIONS[name]
            values[name] = row.default if row.off is None else row.off
    checked = set(overrides) - _SAMPLING
    unused = set() if values["do_sample"] else _SAMPLING
    _check_values(values, exempt=checked | unused)
    _resolve_assistant_tokens(values, overrides, has_assistant)
    check_combinations(values)
    lengths_set = {
        name
        for name in ("max_length", "min_length")
        if any(source.get(name) is not None for source in sources)
    }
    return MergedOptions(values, lengths_set, tensors)


class MergedOptions:
    """Options whose lengths still wait for that of the decoder prompt.

    Args:
        values: dict of option values by name.
        lengths_set: set of those of "max_length" and "min_length" that somebody set.
        tensors: dict of scalar tensors whose values only a graph knows.
    """

    def __init__(self, values, lengths_set, tensors):
        self.values, self.lengths_set, self.tensors = values, lengths_set, tensors

    @property
    def start_token_id(self):
        """What the decoder starts from, an int or a list of one per document.

        Raises:
            ValueError: if nothing is set.
        """
        for name in ("decoder_start_token_id", "bos_token_id"):
            if self.values[name] is not None:
                return self.values[name]
        raise ValueError(
            "Neither `decoder_start_token_id` nor `bos_token_id` is set: the decoder "
            "has no token to start from. Set one of them."
        )

    def resolve(self, *, prompt_len, position_limit=None, vocab_size=None):
        """Turns lengths into counts that include the prompt, and fills in tokens.

        Args:
            prompt_len: int, see `resolve_options`.
            position_limit: int or None.
            vocab_size: int or None.

        Returns:
            GenerationOptions.

        Raises:
            ValueError: see `resolve_options`.
        """
        values = dict(self.values)
        if "max_new_tokens" in self.tensors and "max_length" not in self.lengths_set:
            raise ValueError(
                "`max_new_tokens` is a tensor whose value only the graph knows: set "
                f"`max_length` to the most that it can be, plus {prompt_len} for the "
                "decoder prompt."
            )
        resolve_lengths(
            values,
            lengths_set=self.lengths_set,
            prompt_len=prompt_len,
            position_limit=position_limit,
        )
        values["decoder_start_token_id"] = self.start_token_id
        resolve_special_tokens(values, vocab_size)
        options = GenerationOptions(**values)
        return options.with_tensors(**self.tensors) if self.tensors else options


def _python_values(overrides):
    """Splits arguments into Python values and scalar tensors that a graph computes."""
    values, tensors = {}, {}
    for name, value in overrides.items():
        value = _read_variable(value)
        is_known = hasattr(value, "numpy") or hasattr(value, "to_list")
        if tf.is_tensor(value) and not is_known and tf.get_static_value(value) is None:
            tensors[name] = _graph_tensor(name, value)
        else:
            values[name] = _python_value(name, value)
    return values, tensors


def _read_variable(value):
    # tf.get_static_value knows no variable's value, and would take it for unset.
    is_variable = isinstance(value, (tf.Variable, keras.Variable))
    return tf.convert_to_tensor(value) if is_variable else value


def _graph_tensor(name, value):
    row = OPTIONS.get(name)
    if row is None or row.tensor is None:
        allowed = [name for name, row in OPTIONS.items() if row.tensor is not None]
        raise ValueError(
            f"`{name}` is a tensor of shape {value.shape} whose value only the graph "
            "knows, but the graph depends on it: give a Python value. Tensors are "
            f"allowed for {', '.join(allowed)}."
        )
    known_number(name, value)  # raises on another shape than ()
    return tf.cast(value, row.tensor)


def _python_value(name, value):
    """Turns NumPy's values and tensors into Python's, which alone can be a key."""
    value = _read_variable(value)
    if isinstance(value, tf.RaggedTensor):
        return value.to_list()
    if tf.is_tensor(value):
        value = tf.get_static_value(value)
    if name in OPTIONS and OPTIONS[name].is_scalar:
        known_number(name, value)  # raises on another shape than ()
        if isinstance(value, (list, tuple)):
            raise ValueError(f"`{name}` must be one value, got {value!r}.")
    is_array = isinstance(value, (np.generic, np.ndarray))
    value = value.tolist() if is_array else value
    if name in _SAMPLING and isinstance(value, (str, bytes)):
        # Its range counts in sampling alone, but no text is ever a number.
        raise ValueError(f"`{name}` must be a number, got {value!r}.")
    return value


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
    if overrides.get("suppress_tokens") is not None:
        # transformers looks into it before we could say what is wrong.
        ids = as_ids("suppress_tokens", overrides["suppress_tokens"], lowest=0)
        overrides = {**overrides, "suppress_tokens": list(ids)}
    config = copy.deepcopy(generation_config) or GenerationConfig()
    if defaults is not None:
        config.update(
            **defaults.to_dict(), defaults_only=True, allow_custom_entries=True
        )
    config.update(**DEFAULTS, defaults_only=True)
    config.update(**overrides, allow_custom_entries=True)
    return config


def _check_names(overrides, argument_names):
    theirs = {name for name in vars(GenerationConfig()) if not name.startswith("_")}
    known = theirs | set(DEFAULTS)
    for name in overrides:
        if name not in known:
            near = difflib.get_close_matches(name, [*known, *argument_names], n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise ValueError(
                f"`generate` has no argument or option `{name}` (got "
                f"{overrides[name]!r}).{hint}"
            )


def _check_supported(fields):
    for name, value in fields.items():
        is_ours = name in DEFAULTS or name in METADATA or name.startswith("_")
        requests_nothing = value is None or value is False
        if is_ours or requests_nothing or value in NEUTRAL_VALUES.get(name, ()):
            continue
        raise ValueError(
            f"The generation option `{name}` is not supported, got {value!r}. Leave it "
            "out, or set it to None in the GenerationConfig."
        )


def _check_values(values, exempt):
    """Checks values by their rows in the option table; not those named in `exempt`."""
    for name, value in values.items():
        if name not in OPTIONS or name in exempt:
            continue
        row = OPTIONS[name]
        if row.check is not None and not row.is_off(value):
            row.check(name, value)


def _resolve_assistant_tokens(values, overrides, has_assistant):
    """Leaves a number of drafts where there is an assistant, and nowhere else."""
    count = values["num_assistant_tokens"]
    # One that a configuration holds waits there for an assistant.
    is_given = overrides.get("num_assistant_tokens") is not None
    if is_given and not has_assistant:
        raise ValueError(
            f"`num_assistant_tokens` is {count}, but no `assistant_model` was given to "
            "`generate`. Give one, or leave the number out."
        )
    if count is None or (count == _THEIR_ASSISTANT_TOKENS and not is_given):
        count = DEFAULT_ASSISTANT_TOKENS
    values["num_assistant_tokens"] = count if has_assistant else None


def resolve_special_tokens(values, vocab_size=None):
    """Fills in the padding id and checks ids against the vocabulary, in place.

    Args:
        values: dict of option values by name.
        vocab_size: int V, or None to allow any id.

    Raises:
        ValueError: naming the option and an id that the vocabulary does not have.

    Source: transformers 5.23, `_prepare_special_tokens`.
    """
    eos_ids = as_ids("eos_token_id", values["eos_token_id"])
    if not eos_ids:
        values["eos_token_id"] = None
    if values["pad_token_id"] is None and eos_ids:
        values["pad_token_id"] = eos_ids[0]
    for name in _SPECIAL_TOKENS if vocab_size is not None else ():
        for token_id in as_ids(name, values[name]):
            if token_id >= vocab_size:
                raise ValueError(
                    f"`{name}` is {token_id}, but the vocabulary has ids 0 to "
                    f"{vocab_size - 1}. Take the ids from this model's tokenizer."
                )
