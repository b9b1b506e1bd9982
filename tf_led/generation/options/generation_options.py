"""The resolved options of one call of `generate`."""

import logging
import math
import numbers

import tensorflow as tf

_logger = logging.getLogger(__name__)

_AT_LEAST = {
    "max_length": 1,
    "max_new_tokens": 1,
    "min_length": 0,
    "min_new_tokens": 0,
    "num_beams": 1,
    "num_beam_groups": 1,
    "num_return_sequences": 1,
}
# True or False, or None where nobody has said.
_FLAGS = (
    "do_sample",
    "use_cache",
    "renormalize_logits",
    "remove_invalid_values",
    "return_dict_in_generate",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "output_logits",
)


def check_values(values):
    """Refuses counts that are no counts, and options that exclude each other.

    What `GenerationConfig` refuses itself is not repeated here.

    Args:
        values: dict of option values by name.

    Raises:
        ValueError: naming the option, what it was and what is allowed.
    """
    for name, least in _AT_LEAST.items():
        _check_count(name, values[name], least)
    for name in _FLAGS:
        _check_flag(name, values[name])
    _check_early_stopping(values["early_stopping"])
    _check_number("length_penalty", values["length_penalty"])
    if values["max_time"] is not None:
        _check_number("max_time", values["max_time"], least=0)
    _check_groups(values)
    _check_contrastive(values)


def _check_count(name, value, least):
    is_count = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if value is not None and not (is_count and value >= least):
        raise ValueError(f"`{name}` must be an int from {least} on, got {value!r}.")


def _check_flag(name, value):
    # 1 and "no" would mean what nobody can tell: some of these are compared with True.
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False, got {value!r}.")


def _check_early_stopping(value):
    if not isinstance(value, bool) and value != "never":
        raise ValueError(
            f'`early_stopping` must be True, False or "never", got {value!r}.'
        )


def _check_number(name, value, least=-math.inf):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value >= least):
        bound = "" if least == -math.inf else f" from {least} on"
        raise ValueError(f"`{name}` must be a number{bound}, got {value!r}.")


def _check_groups(values):
    groups, beams = values["num_beam_groups"], values["num_beams"]
    penalty = values["diversity_penalty"]
    if groups == 1:
        if penalty != 0:
            raise ValueError(
                f"`diversity_penalty` is {penalty}, which needs `num_beam_groups` > 1."
            )
        return
    if beams % groups:
        raise ValueError(
            f"`num_beams` must be a multiple of `num_beam_groups`, got {beams} beams "
            f"and {groups} groups."
        )
    if values["do_sample"]:
        raise ValueError(
            f"`num_beam_groups` is {groups}, which needs `do_sample=False`: group beam "
            "search does not sample."
        )
    if not penalty > 0:
        raise ValueError(
            f"`diversity_penalty` must be above 0 with {groups} groups of beams, got "
            f"{penalty}: without it every group finds the same."
        )


def _check_contrastive(values):
    alpha = values["penalty_alpha"]
    if alpha is None or alpha == 0:
        return
    if not 0 < alpha <= 1:
        raise ValueError(f"`penalty_alpha` must be from 0 to 1, got {alpha!r}.")
    searches_otherwise = values["do_sample"] or values["num_beams"] > 1
    if searches_otherwise or (values["top_k"] or 0) <= 1:
        _logger.warning(
            "`penalty_alpha` (%s) has no effect: contrastive search needs `top_k` > 1, "
            "`do_sample=False` and `num_beams=1`.",
            alpha,
        )


# Those that `tf_led` honours, under the names of transformers' GenerationConfig.
DEFAULTS = {
    # length
    "max_length": 20,
    "max_new_tokens": None,
    "min_length": 0,
    "min_new_tokens": None,
    "early_stopping": False,
    "max_time": None,
    "stop_strings": None,
    # how to search
    "do_sample": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "penalty_alpha": None,
    "length_penalty": 1.0,
    "num_return_sequences": 1,
    "use_cache": True,
    # the scores
    "temperature": 1.0,
    "top_h": None,
    "top_k": 50,
    "top_p": 1.0,
    "min_p": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "sequence_bias": None,
    "renormalize_logits": None,
    "remove_invalid_values": False,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "exponential_decay_length_penalty": None,
    # what comes back
    "return_dict_in_generate": False,
    "output_attentions": None,
    "output_hidden_states": None,
    "output_scores": False,
    "output_logits": None,
    # special tokens
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "decoder_start_token_id": None,
}

# Options of transformers that we do not have, where a value other than None asks for
# nothing yet. Any other value of these, and of names absent from both tables, is
# refused.
NEUTRAL_VALUES = {
    # A cache of fixed size is the only kind there is here.
    "cache_implementation": ("static",),
    "guidance_scale": (1, 1.0),
    "num_assistant_tokens": (20,),
    "num_assistant_tokens_schedule": ("constant",),
    "assistant_confidence_threshold": (0.4,),
    "assistant_lookbehind": (10,),
    "target_lookbehind": (10,),
}

# A field of the configuration, but no option.
METADATA = ("transformers_version",)


class GenerationOptions:
    """Every option of a call, under transformers' names, and what follows from them.

    Immutable and hashable, so that a compiled decoding loop can be kept per options.
    `resolve_options` makes it from what a user gave; made by hand it holds
    transformers' defaults and takes what it is given without a check.

    Args:
        **values: options by name, as in `option_names.DEFAULTS`. `max_length` counts
            the decoder prompt.

    Raises:
        TypeError: on a name that is not an option.

    Example:
        >>> from tf_led.generation.options.generation_options import GenerationOptions
        >>> options = GenerationOptions(num_beams=4, eos_token_id=[2, 7])
        >>> options.mode, options.width, options.eos_token_ids, options.top_k
        ('beam_search', 4, (2, 7), 50)
    """

    def __init__(self, **values):
        unknown = sorted(set(values) - set(DEFAULTS))
        if unknown:
            raise TypeError(f"GenerationOptions has no option {', '.join(unknown)}.")
        merged = {**DEFAULTS, **values}
        object.__setattr__(self, "_values", merged)
        object.__setattr__(self, "_key", freeze(merged))

    def __getattr__(self, name):
        if name in DEFAULTS:
            return self._values[name]
        raise AttributeError(f"GenerationOptions has no option {name!r}.")

    def __setattr__(self, name, value):
        raise AttributeError(f"GenerationOptions cannot be changed: {name}={value!r}.")

    def __eq__(self, other):
        return isinstance(other, GenerationOptions) and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __reduce__(self):
        return _rebuild, (self._values,)

    def __repr__(self):
        changed = (
            f"{name}={value!r}"
            for name, value in self._values.items()
            if tf.is_tensor(value) or value != DEFAULTS[name]
        )
        return f"GenerationOptions({', '.join(changed)})"

    @property
    def mode(self):
        """The name of the search: "greedy", "beam_search", "sample" and so on."""
        if self.num_beams > 1:
            if self.num_beam_groups > 1:
                return "group_beam_search"
            return "beam_sample" if self.do_sample else "beam_search"
        if self.do_sample:
            return "sample"
        is_contrastive = (self.penalty_alpha or 0) > 0 and (self.top_k or 0) > 1
        return "contrastive_search" if is_contrastive else "greedy"

    @property
    def width(self):
        """Number of hypotheses that are decoded at once for one document."""
        if self.mode == "contrastive_search":
            return self.top_k
        return max(self.num_beams, self.num_return_sequences)

    @property
    def eos_token_ids(self):
        """The end-of-sequence ids as a tuple, empty where there is none."""
        if self.eos_token_id is None:
            return ()
        ids = self.eos_token_id
        return tuple(ids) if isinstance(ids, (list, tuple)) else (ids,)

    @property
    def padding_id(self):
        """What pads: the padding id, else the first end id, else 0."""
        if self.pad_token_id is None:
            return (self.eos_token_ids or (0,))[0]
        return self.pad_token_id

    def with_inputs(self, **tensors):
        """Takes tensors in place of options: what each request of a graph may set.

        Args:
            **tensors: scalars, `max_new_tokens` int32[] (from 1 to the number that the
                options allow anyway, for which the tensors' shapes are made),
                `length_penalty` float32[], `temperature` float32[].

        Returns:
            New GenerationOptions; they cannot be a key.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.generation.options import generation_options
            >>> options = generation_options.GenerationOptions(max_length=9)
            >>> shorter = options.with_inputs(max_new_tokens=tf.constant(4))
            >>> int(shorter.length_limit(prompt_len=1, length=9))
            5
        """
        return GenerationOptions(**{**self._values, **tensors})

    def length_limit(self, prompt_len, length):
        """The greatest length, prompt included.

        Args:
            prompt_len: int.
            length: int, the length that tensors are made for.

        Returns:
            `length`; int32[] where `max_new_tokens` is an input.
        """
        if tf.is_tensor(self.max_new_tokens):
            return prompt_len + self.max_new_tokens
        return length

    def asks_for(self, output):
        """Tells whether the returned struct has "scores", "attentions" and so on."""
        return bool(self.return_dict_in_generate and getattr(self, f"output_{output}"))

    def needs_from_step(self, output):
        """Tells whether the step must return its "attentions" or "hidden_states"."""
        is_for_search = self.mode == "contrastive_search" and output == "hidden_states"
        return is_for_search or self.asks_for(output)


def freeze(value):
    """Returns a hashable stand-in for nested dicts and lists."""
    if isinstance(value, dict):
        return tuple((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


def _rebuild(values):
    return GenerationOptions(**values)
