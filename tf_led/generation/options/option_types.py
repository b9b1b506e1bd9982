"""The types of the options of `generate`, for editors and type checkers.

The options themselves are the rows of `option_table.py`; a test holds these against
them. A name that is not here is flagged where it is written.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from tf_led.utils.annotations import Integer, Number


class DecodingOptionTypes(TypedDict, total=False):
    """All but the option that decides what `generate` returns, in the table's order."""

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
