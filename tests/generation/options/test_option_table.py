"""Every row of the option table: its check, its processor, numbers of every kind."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation import processors
from tf_led.generation.options.option_table import (
    DEFAULTS,
    LAST,
    OPTIONS,
    RULES,
    SAMPLING,
)
from tf_led.generation.options.resolve import NEUTRAL_VALUES, resolve_options

MODEL = {"decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}


def resolve(**given):
    given = {"max_length": 11, "do_sample": "temperature" in given, **given}
    return resolve_options(defaults=GenerationConfig(**MODEL), overrides=given)


def test_names_and_defaults_are_those_of_transformers():
    theirs = GenerationConfig._get_default_generation_params()
    for name, value in theirs.items():
        if name == "num_assistant_tokens":  # fewer, see DEFAULT_ASSISTANT_TOKENS
            assert value == 20 and DEFAULTS[name] is None
        elif name in DEFAULTS:
            assert DEFAULTS[name] == value, name
        else:
            assert value in NEUTRAL_VALUES[name], name
    ours = {"decoder_dtype"}
    assert {*DEFAULTS, *NEUTRAL_VALUES} - ours <= set(vars(GenerationConfig()))


def test_every_processor_is_made_by_a_row():
    """But the base, and a user's own function."""
    made = {*RULES, *SAMPLING, *LAST}
    assert all(row.make is not None for row in made)
    classes = [name for name in processors.__all__ if name[0].isupper()]
    assert len(made) == len(set(classes) - {"Processor", "CustomProcessor"})


# A value of each row that is not allowed, and what else makes it count.
WRONG = {
    "max_length": 0,
    "max_new_tokens": 1.5,
    "early_stopping": "always",
    "max_time": -0.5,
    "do_sample": 1,
    "num_beams": 2.0,
    "num_beam_groups": 0,
    "penalty_alpha": 1.25,
    "length_penalty": "2",
    "num_return_sequences": "3",
    "prompt_lookup_num_tokens": 0,
    "max_matching_ngram_size": 1.5,
    "num_assistant_tokens": 2.5,
    "use_cache": "no",
    "decoder_dtype": "float64",
    "diversity_penalty": -0.5,
    "encoder_repetition_penalty": -1.5,
    "repetition_penalty": 0.0,
    "no_repeat_ngram_size": -1,
    "encoder_no_repeat_ngram_size": 1.5,
    "min_length": -1,
    "min_new_tokens": True,
    "forced_bos_token_id": -3,
    "forced_eos_token_id": [2, -3],
    "remove_invalid_values": 1,
    "suppress_tokens": [1.5],
    "begin_suppress_tokens": [-7],
    "temperature": 0.0,
    "top_h": 1.5,
    "top_k": -1,
    "top_p": 1.5,
    "min_p": -0.5,
    "typical_p": 1.5,
    "epsilon_cutoff": 1.0,
    "eta_cutoff": 1.0,
    "renormalize_logits": 0.0,
    "return_dict_in_generate": 1,
    "output_attentions": "yes",
    "output_hidden_states": 1,
    "output_scores": 1,
    "output_logits": 1,
    "pad_token_id": -1,
    "eos_token_id": 2.5,
    "decoder_start_token_id": "2",
}
# Checked when the processor is made, and when a call brings a tokenizer.
CHECKED_LATER = {
    "stop_strings",
    "sequence_bias",
    "bad_words_ids",
    "prefix_allowed_tokens_fn",
    "exponential_decay_length_penalty",
    "bos_token_id",
}


@pytest.mark.parametrize(
    "name",
    [
        "num_beams",
        "num_beam_groups",
        "num_return_sequences",
        "prompt_lookup_num_tokens",
        "max_matching_ngram_size",
        "num_assistant_tokens",
    ],
)
def test_what_memory_or_a_graph_grows_with_has_a_bound(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at most [0-9,]+, got 1000"):
        resolve(**{name: 10**9})


def test_contrastive_search_reads_so_many_candidates():
    contrastive = {"penalty_alpha": 0.5, "top_k": 10**9}
    with pytest.raises(ValueError, match="`top_k` must be at most 1,024 .* got 1000"):
        resolve(**contrastive)
    assert resolve(**contrastive, do_sample=True).top_k == 10**9


def test_the_list_of_wrong_values_is_complete():
    assert {*WRONG, *CHECKED_LATER} == set(OPTIONS)


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_is_not_allowed_is_named(name):
    sampling = {"do_sample": name in {row.name for row in SAMPLING}}
    with pytest.raises((ValueError, TypeError), match=name) as caught:
        resolve(**{**sampling, name: WRONG[name]})
    wrong = WRONG[name][-1] if isinstance(WRONG[name], list) else WRONG[name]
    assert str(wrong) in str(caught.value)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf")])
def test_the_length_penalty_must_be_a_finite_number(value):
    assert resolve(length_penalty=-2).length_penalty == -2
    with pytest.raises(ValueError, match="`length_penalty`") as caught:
        resolve(length_penalty=value)
    assert repr(value) in str(caught.value)


SCALARS = {
    "num_beams": 3,
    "num_return_sequences": 1,
    "max_new_tokens": 5,
    "length_penalty": 0.5,
    "temperature": 0.5,
    "top_p": 0.75,
    "top_k": 7,
    "no_repeat_ngram_size": 2,
    "pad_token_id": 5,
    "use_cache": False,
}


@pytest.mark.parametrize("make", [np.array, tf.constant], ids=["numpy", "tensor"])
@pytest.mark.parametrize("name", SCALARS)
def test_scalars_of_every_kind_are_pythons_and_longer_ones_say_their_shape(name, make):
    value = SCALARS[name]
    found = getattr(resolve(**{name: make(value), "do_sample": True}), name)
    assert found == value and type(found) is type(value)
    with pytest.raises(ValueError, match=rf"`{name}` must be one .* shape \(2,\)"):
        resolve(**{name: make([value, value])})
    with pytest.raises(ValueError, match=f"`{name}` must be one value, got "):
        resolve(**{name: [value]})


def test_ids_may_be_arrays_and_tensors():
    options = resolve(
        eos_token_id=tf.constant([2, 9]),
        suppress_tokens=np.array([5, 7]),
        bad_words_ids=tf.ragged.constant([[5], [7, 11]]),
    )
    assert options.eos_token_ids == (2, 9) and options.suppress_tokens == [5, 7]
    assert options.bad_words_ids == [[5], [7, 11]]


def test_in_a_graph_numbers_that_shape_nothing_may_be_its_tensors():
    @tf.function
    def run(value):
        options = resolve(
            length_penalty=value, max_new_tokens=tf.cast(value, tf.int32), num_beams=2
        )
        assert options.length_penalty.dtype == tf.float64 and options.max_length == 11
        return options.max_new_tokens

    assert run(tf.constant(3.0)) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda x: {"num_beams": x}, r"`num_beams` is a tensor of shape \(\) "),
        (lambda x: {"length_penalty": [x][0][None]}, r"`length_penalty` .* \(1,\)"),
        (lambda x: {"max_new_tokens": x, "max_length": None}, "`max_length` to the"),
    ],
)
def test_in_a_graph_other_tensors_are_named(given, message):
    @tf.function
    def run(value):
        resolve(**given(value))

    with pytest.raises(ValueError, match=message):
        run(tf.constant(3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"diversity_penalty": 0.7}, "`diversity_penalty` is 0.7, which needs"),
        ({"num_beam_groups": 2}, "got 1 beams and 2 groups"),
        ({"num_beams": 5, "num_beam_groups": 2}, "got 5 beams and 2 groups"),
        ({"num_beams": 4, "num_beam_groups": 2}, "above 0 with 2 groups.*got 0.0"),
        (
            {"num_beams": 4, "num_beam_groups": 2, "do_sample": True},
            "`num_beam_groups` is 2, which needs `do_sample=False`",
        ),
        ({"penalty_alpha": -0.5}, "`penalty_alpha` must be .*got -0.5"),
        ({"penalty_alpha": 0.5, "top_k": 2.5}, "`top_k` must be .*got 2.5"),
    ],
)
def test_options_that_contradict_each_other_raise(given, message):
    with pytest.raises(ValueError, match=message):
        resolve(**given)


def test_what_goes_together_passes():
    resolve(num_beams=6, num_beam_groups=3, diversity_penalty=0.5)
    resolve(penalty_alpha=0.6, top_k=4)
    resolve(penalty_alpha=0.0)


@pytest.mark.parametrize(
    "given", [{"do_sample": True}, {"num_beams": 3}, {"top_k": 1}, {"top_k": None}]
)
def test_a_penalty_without_contrastive_search_is_logged(given, caplog):
    with caplog.at_level(logging.WARNING):
        resolve(penalty_alpha=0.6, **given)
    assert "`penalty_alpha` (0.6) has no effect" in caplog.text
