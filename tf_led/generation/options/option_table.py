"""Every option of `generate`: a row that holds all that is known of it, and its type.

Of rows that make processors the order is that in which the processors run: PyTorch's.

Source: transformers 5.23, `GenerationConfig` (names and defaults) and
`GenerationMixin._get_logits_processor` (order); the place of `HammingDiversity` is that
of transformers before 4.57.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

import tensorflow as tf

from tf_led.generation.options.option import (
    Option,
    a_flag,
    a_half_precision,
    a_number,
    a_stopping_rule,
    an_int,
    by,
    seconds,
    token_ids,
)
from tf_led.generation.processors import (
    constraints,
    custom,
    cutoffs,
    lengths,
    repetition,
    sampling_filters,
)
from tf_led.utils.annotations import Integer, Number
from tf_led.utils.validation import check_int, check_positive


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
    Option("num_beams", 1, an_int(1, 1024)),
    Option("num_beam_groups", 1, an_int(1, 1024)),
    Option("penalty_alpha", None),
    Option("length_penalty", 1.0, a_number, tensor=tf.float64),
    Option("num_return_sequences", 1, an_int(1, 1024)),
    Option("prompt_lookup_num_tokens", None, an_int(1, 256)),
    Option("max_matching_ngram_size", None, an_int(1, 64)),
    Option("num_assistant_tokens", None, an_int(1, 256)),
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
        lambda value, call: repetition.HammingDiversity(
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


class DecodingOptionTypes(TypedDict, total=False):
    """For type checkers, in the table's order.

    All but the option that decides what `generate` returns.
    """

    max_length: int | None
    max_new_tokens: Integer | None
    early_stopping: bool | Literal["never"] | None
    max_time: float | None
    stop_strings: str | Sequence[str] | None

    do_sample: bool | None
    num_beams: int | None
    num_beam_groups: int | None
    penalty_alpha: float | None
    length_penalty: Number | None
    num_return_sequences: int | None
    prompt_lookup_num_tokens: int | None
    max_matching_ngram_size: int | None
    num_assistant_tokens: int | None
    use_cache: bool | None
    decoder_dtype: Literal["bfloat16", "float16"] | None

    sequence_bias: Mapping[tuple[int, ...], float] | Sequence[Sequence[object]] | None
    diversity_penalty: Number | None
    encoder_repetition_penalty: Number | None
    repetition_penalty: Number | None
    no_repeat_ngram_size: Integer | None
    encoder_no_repeat_ngram_size: Integer | None
    bad_words_ids: Sequence[Sequence[int]] | None
    min_length: Integer | None
    min_new_tokens: Integer | None
    forced_bos_token_id: int | None
    forced_eos_token_id: int | Sequence[int] | None
    remove_invalid_values: bool | None
    exponential_decay_length_penalty: tuple[int, float] | Sequence[float] | None
    suppress_tokens: int | Sequence[int] | None
    begin_suppress_tokens: int | Sequence[int] | None

    temperature: Number | None
    top_h: Number | None
    top_k: int | None
    top_p: Number | None
    min_p: Number | None
    typical_p: Number | None
    epsilon_cutoff: Number | None
    eta_cutoff: Number | None
    renormalize_logits: bool | None

    output_attentions: bool | None
    output_hidden_states: bool | None
    output_scores: bool | None
    output_logits: bool | None

    pad_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | Sequence[int] | None
    decoder_start_token_id: int | Sequence[int] | None


class GenerationOptionTypes(DecodingOptionTypes, total=False):
    """Every row of the option table but those that are arguments of `generate`."""

    return_dict_in_generate: bool | None
