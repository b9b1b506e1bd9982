"""Every option of `generate`: one row each, which holds all that is known about it.

Of rows that make processors the order is that in which the processors run: PyTorch's.

Source: transformers 5.23, `GenerationConfig` (names and defaults) and
`GenerationMixin._get_logits_processor` (order); the place of `HammingDiversity` is that
of transformers before 4.57.
"""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_led.generation.processors import (
    constraints,
    custom,
    cutoffs,
    diversity,
    lengths,
    repetition,
    sampling_filters,
)
from tf_led.utils.validation import as_ids, check_int, check_number, check_positive


@dataclass(frozen=True)
class Option:
    """One option of `generate`.

    Args:
        name: str, the field of transformers' GenerationConfig.
        default: its value where nobody sets one.
        check: callable (name, value) that raises ValueError naming both on a value
            that is not allowed, or None where the processor's class checks it. Not
            called with None, nor with `off`.
        make: callable (value, call: ProcessorCall) -> Processor, or None for no
            processor; called only where the value is neither None nor `off`. None for
            an option that makes no processor.
        off: the value that stands for "no such processor".
        tensor: tf.DType of a scalar tensor that may take the number's place, so that a
            compiled loop serves every value; None where the value shapes the graph.
        is_scalar: whether the value is one number, bool or str, not a list.
        is_argument: whether it is an argument of `generate`, no field of the config.
    """

    name: str
    default: Any
    check: Any = None
    make: Any = None
    off: Any = None
    tensor: Any = None
    is_scalar: bool = True
    is_argument: bool = False

    def is_off(self, value):
        """Tells whether a value requests nothing: None, or `off`."""
        if value is None:
            return True
        if tf.is_tensor(value) or self.off is None:
            return False
        # True equals 1, but is not the number.
        is_same_kind = isinstance(value, bool) == isinstance(self.off, bool)
        return is_same_kind and value == self.off


def an_int(at_least):
    """Makes the check of an int."""
    return lambda name, value: check_int(name, value, at_least)


def a_number(name, value):
    """Checks a finite number."""
    check_number(name, value, "a finite number", math.isfinite)


def seconds(name, value):
    """Checks a number of seconds."""
    check_number(name, value, "a number from 0 on", lambda number: number >= 0)


def a_flag(name, value):
    """Checks a bool; 1 and "no" are not taken for one."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False, got {value!r}.")


def a_stopping_rule(name, value):
    """Checks `early_stopping`."""
    if not isinstance(value, bool) and value != "never":
        raise ValueError(f'`{name}` must be True, False or "never", got {value!r}.')


def a_half_precision(name, value):
    """Checks the name of a dtype of two bytes."""
    if value not in ("bfloat16", "float16"):
        raise ValueError(
            f'`{name}` must be "bfloat16" or "float16", got {value!r}. None computes '
            "as the model does."
        )


def token_ids(name, value):
    """Checks one token id or a list of them."""
    as_ids(name, value, lowest=0)


def by(processor):
    """Makes the check that constructs a processor of one argument."""
    return lambda name, value: processor(value)


def minimum_length(value, call):
    """`min_length`, which `min_new_tokens` replaces; nothing without an end token."""
    if not call.eos_ids or call.value("min_new_tokens") is not None:
        return None
    return lengths.MinLength(value, call.eos_ids)


def minimum_new_tokens(value, call):
    """`min_new_tokens`; nothing without an end token."""
    ends = call.eos_ids
    return lengths.MinNewTokens(call.prompt_len, value, ends) if ends else None


LENGTH = (
    Option("max_length", 20, an_int(1)),
    Option("max_new_tokens", None, an_int(1), tensor=tf.int32),
    Option("early_stopping", False, a_stopping_rule),
    Option("max_time", None, seconds),
    Option("stop_strings", None, is_scalar=False),
)

SEARCH = (
    Option("do_sample", False, a_flag),
    Option("num_beams", 1, an_int(1)),
    Option("num_beam_groups", 1, an_int(1)),
    Option("penalty_alpha", None),
    Option("length_penalty", 1.0, a_number, tensor=tf.float64),
    Option("num_return_sequences", 1, an_int(1)),
    Option("prompt_lookup_num_tokens", None, an_int(1)),
    Option("max_matching_ngram_size", None, an_int(1)),
    Option("use_cache", True, a_flag),
    Option("decoder_dtype", None, a_half_precision),
)

RULES = (
    Option(
        "sequence_bias",
        None,
        make=lambda value, call: constraints.SequenceBias(value),
        is_scalar=False,
    ),
    Option(
        "diversity_penalty",
        0.0,
        lambda name, value: check_positive(name, value, "Use 0 for none."),
        lambda value, call: diversity.HammingDiversity(
            value, call.num_beams, call.value("num_beam_groups")
        ),
        off=0,
        tensor=tf.float64,
    ),
    Option(
        "encoder_repetition_penalty",
        1.0,
        lambda name, value: check_positive(name, value, "Use 1 for none."),
        lambda value, call: repetition.EncoderRepetitionPenalty(
            value, call.documents("encoder_repetition_penalty"), call.vocab_size
        ),
        off=1,
        tensor=tf.float64,
    ),
    Option(
        "repetition_penalty",
        1.0,
        by(repetition.RepetitionPenalty),
        lambda value, call: repetition.RepetitionPenalty(value, call.left_padding()),
        off=1,
        tensor=tf.float64,
    ),
    Option(
        "no_repeat_ngram_size",
        0,
        by(repetition.NoRepeatNGram),
        lambda value, call: repetition.NoRepeatNGram(value),
        off=0,
        tensor=tf.int32,
    ),
    Option(
        "encoder_no_repeat_ngram_size",
        0,
        lambda name, value: check_int(name, value, 1, "Use 0 for no rule."),
        lambda value, call: repetition.EncoderNoRepeatNGram(
            value, call.documents("encoder_no_repeat_ngram_size")
        ),
        off=0,
        tensor=tf.int32,
    ),
    Option(
        "bad_words_ids",
        None,
        make=lambda value, call: constraints.NoBadWords(value, call.eos_ids),
        is_scalar=False,
    ),
    Option("min_length", 0, an_int(0), minimum_length, off=0, tensor=tf.int32),
    Option("min_new_tokens", None, an_int(0), minimum_new_tokens, tensor=tf.int32),
    Option(
        "prefix_allowed_tokens_fn",
        None,
        make=lambda value, call: custom.PrefixAllowedTokens(
            value, call.num_beams // call.value("num_beam_groups")
        ),
        is_argument=True,
    ),
    Option(
        "forced_bos_token_id",
        None,
        by(constraints.ForcedBOS),
        lambda value, call: constraints.ForcedBOS(value),
    ),
    Option(
        "forced_eos_token_id",
        None,
        token_ids,
        lambda value, call: constraints.ForcedEOS(call.max_length, value),
        is_scalar=False,
    ),
    Option(
        "remove_invalid_values",
        False,
        a_flag,
        lambda value, call: sampling_filters.InfNanRemove(),
        off=False,
    ),
    Option(
        "exponential_decay_length_penalty",
        None,
        make=lambda value, call: lengths.ExponentialDecayLength(
            value, call.eos_ids, call.prompt_len
        ),
        is_scalar=False,
    ),
    Option(
        "suppress_tokens",
        None,
        token_ids,
        lambda value, call: constraints.SuppressTokens(value),
        is_scalar=False,
    ),
    Option(
        "begin_suppress_tokens",
        None,
        token_ids,
        lambda value, call: constraints.SuppressTokensAtBegin(
            value, call.first_free_place()
        ),
        is_scalar=False,
    ),
)

# Their processors are made only where `do_sample` is True, after a user's own.
SAMPLING = (
    Option(
        "temperature",
        1.0,
        by(sampling_filters.Temperature),
        lambda value, call: sampling_filters.Temperature(value),
        off=1,
        tensor=tf.float64,
    ),
    Option(
        "top_h",
        None,
        by(cutoffs.TopH),
        lambda value, call: cutoffs.TopH(value),
        tensor=tf.float64,
    ),
    Option(
        "top_k",
        50,
        by(cutoffs.TopK),
        lambda value, call: cutoffs.TopK(value, call.min_tokens_to_keep),
        off=0,
    ),
    Option(
        "top_p",
        1.0,
        by(sampling_filters.TopP),
        lambda value, call: sampling_filters.TopP(value, call.min_tokens_to_keep),
        off=1,
        tensor=tf.float64,
    ),
    Option(
        "min_p",
        None,
        by(cutoffs.MinP),
        lambda value, call: cutoffs.MinP(value, call.min_tokens_to_keep),
        tensor=tf.float64,
    ),
    Option(
        "typical_p",
        1.0,
        by(sampling_filters.Typical),
        lambda value, call: sampling_filters.Typical(value, call.min_tokens_to_keep),
        off=1,
        tensor=tf.float64,
    ),
    Option(
        "epsilon_cutoff",
        0.0,
        by(cutoffs.Epsilon),
        lambda value, call: cutoffs.Epsilon(value, call.min_tokens_to_keep),
        off=0,
        tensor=tf.float64,
    ),
    Option(
        "eta_cutoff",
        0.0,
        by(cutoffs.Eta),
        lambda value, call: cutoffs.Eta(value, call.min_tokens_to_keep),
        off=0,
        tensor=tf.float64,
    ),
)

LAST = (
    Option(
        "renormalize_logits",
        None,
        a_flag,
        lambda value, call: sampling_filters.LogitNormalization(),
        off=False,
    ),
)

OUTPUTS = (
    Option("return_dict_in_generate", False, a_flag),
    Option("output_attentions", None, a_flag),
    Option("output_hidden_states", None, a_flag),
    Option("output_scores", False, a_flag),
    Option("output_logits", None, a_flag),
)

SPECIAL_TOKENS = (
    Option("pad_token_id", None, token_ids),
    Option("bos_token_id", None),
    Option("eos_token_id", None, token_ids, is_scalar=False),
    Option("decoder_start_token_id", None, token_ids, is_scalar=False),
)

OPTIONS = {
    row.name: row
    for row in (
        *LENGTH,
        *SEARCH,
        *RULES,
        *SAMPLING,
        *LAST,
        *OUTPUTS,
        *SPECIAL_TOKENS,
    )
}
DEFAULTS = {name: row.default for name, row in OPTIONS.items() if not row.is_argument}
