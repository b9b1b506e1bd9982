"""Options from configurations and keyword arguments, as transformers merges them."""

import copy
import logging
import warnings

import numpy as np
import pytest
from transformers import GenerationConfig

from tf_led.generation.options.generation_options import (
    DEFAULTS,
    NEUTRAL_VALUES,
    GenerationOptions,
)
from tf_led.generation.options.resolve import (
    check_vocabulary,
    resolve_lengths,
    resolve_options,
    resolve_special_tokens,
)


def resolve(prompt_len=1, position_limit=None, **given):
    values = {**DEFAULTS, **given}
    resolve_lengths(
        values,
        lengths_set={name: name in given for name in ("max_length", "min_length")},
        prompt_len=prompt_len,
        position_limit=position_limit,
    )
    return values["max_length"], values["min_length"]


def test_nothing_set_means_20_new_tokens_and_a_warning():
    with pytest.warns(UserWarning, match="at most 20 new tokens"):
        assert resolve(prompt_len=3) == (23, 0)


def test_lengths_count_the_prompt_and_new_tokens_do_not():
    assert resolve(prompt_len=3, max_length=11, min_length=5) == (11, 5)
    assert resolve(prompt_len=3, max_new_tokens=11, min_new_tokens=5) == (14, 8)


def test_new_tokens_win_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        given = {"max_length": 5, "max_new_tokens": 11}
        assert resolve(**given, min_length=2, min_new_tokens=3) == (12, 4)
    assert "`max_new_tokens` (11) and `max_length` (5)" in caplog.text
    assert "`min_new_tokens` (3) and `min_length` (2)" in caplog.text


@pytest.mark.parametrize("prompt_len", [7, 9])
def test_a_prompt_that_leaves_no_room_is_refused(prompt_len):
    with pytest.raises(ValueError, match=f"`max_length` is 7.* {prompt_len} tokens"):
        resolve(prompt_len=prompt_len, max_length=7)


def test_positions_bound_the_length_but_the_last_token_needs_none():
    assert resolve(position_limit=13, max_length=14) == (14, 0)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_length=15)
    with pytest.raises(ValueError, match="is 15, but the decoder has 13 .* most 14"):
        resolve(position_limit=13, max_new_tokens=14)


def test_contrastive_search_needs_a_position_for_the_last_token_too():
    contrastive = {"penalty_alpha": 0.6, "top_k": 4}
    assert resolve(position_limit=13, max_length=13, **contrastive) == (13, 0)
    with pytest.raises(ValueError, match="is 14, but the decoder has 13 .* most 13"):
        resolve(position_limit=13, max_length=14, **contrastive)


@pytest.mark.parametrize(
    ("given", "name"),
    [({"min_length": 11}, "min_length"), ({"min_new_tokens": 11}, "min_new_tokens")],
)
def test_a_minimum_beyond_the_maximum_is_warned_of(given, name):
    with pytest.warns(UserWarning, match=rf"`{name}` \(11\) .* length of 7"):
        resolve(max_length=7, **given)


NAMES = ("decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id")


def resolved_tokens(start=None, bos=None, eos=None, pad=None):
    values = dict(zip(NAMES, (start, bos, eos, pad), strict=True))
    resolve_special_tokens(values)
    return tuple(values[name] for name in NAMES if name != "bos_token_id")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"start": 3, "bos": 0, "eos": 5, "pad": 1}, (3, 5, 1)),
        ({"bos": 0, "eos": [5, 7]}, (0, [5, 7], 5)),
        ({"bos": 0, "eos": 7}, (0, 7, 7)),
        ({"bos": 0, "eos": []}, (0, None, None)),
        ({"start": [3, 5], "eos": np.int64(7)}, ([3, 5], 7, 7)),
    ],
)
def test_missing_ids_are_filled_in(given, expected):
    assert resolved_tokens(**given) == expected


def test_something_must_start_the_decoder():
    with pytest.raises(ValueError, match="`decoder_start_token_id` nor `bos_token_id`"):
        resolved_tokens(eos=2)


@pytest.mark.parametrize("wrong", [-3, 2.5, "2", True, [2, -3]])
@pytest.mark.parametrize("name", ["start", "eos", "pad"])
def test_ids_must_be_ids(name, wrong):
    with pytest.raises(ValueError, match="must be a token id.*got ") as caught:
        resolved_tokens(**{"bos": 0, "eos": 2, name: wrong})
    assert repr(wrong[-1] if isinstance(wrong, list) else wrong) in str(caught.value)


@pytest.mark.parametrize("wrong", [29, [2, 31]])
@pytest.mark.parametrize("name", ["decoder_start_token_id", "eos_token_id"])
def test_ids_must_be_in_the_vocabulary(name, wrong):
    check_vocabulary(GenerationOptions(**{name: 28}), 29)
    beyond = wrong[-1] if isinstance(wrong, list) else wrong
    with pytest.raises(ValueError, match=f"`{name}` is {beyond}, .* ids 0 to 28"):
        check_vocabulary(GenerationOptions(**{name: wrong}), 29)


def test_padding_must_be_in_the_vocabulary():
    with pytest.raises(ValueError, match="`pad_token_id` is 30, .* ids 0 to 28"):
        check_vocabulary(GenerationOptions(pad_token_id=30), 29)


MODEL = {"decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}


def resolve_resolve(generation_config=None, defaults=None, **overrides):
    overrides.setdefault("max_new_tokens", 7)
    return resolve_options(
        generation_config,
        defaults=GenerationConfig(**MODEL, **(defaults or {})),
        overrides=overrides,
    )


def test_defaults_are_those_of_transformers():
    theirs = GenerationConfig._get_default_generation_params()
    for name, value in theirs.items():
        if name in DEFAULTS:
            assert DEFAULTS[name] == value, name
        else:
            assert value in NEUTRAL_VALUES[name], name


def test_every_option_of_ours_is_a_field_of_generation_config():
    assert set(DEFAULTS) <= set(vars(GenerationConfig()))
    assert set(NEUTRAL_VALUES) <= set(vars(GenerationConfig()))


def test_arguments_win_over_the_config_and_that_over_the_models():
    config = GenerationConfig(num_beams=3, length_penalty=2.0)
    defaults = {"num_beams": 5, "length_penalty": 0.5, "no_repeat_ngram_size": 3}
    options = resolve_resolve(config, defaults, num_beams=7)
    assert options.num_beams == 7
    assert options.length_penalty == 2.0
    assert options.no_repeat_ngram_size == 3
    assert options.top_k == 50


def test_configs_and_arguments_stay_as_they_were():
    config, defaults = GenerationConfig(num_beams=3), GenerationConfig(**MODEL)
    overrides = {"max_new_tokens": 5}
    before = copy.deepcopy([vars(config), vars(defaults), overrides])
    resolve_options(config, defaults=defaults, overrides=overrides, prompt_len=3)
    assert [vars(config), vars(defaults), overrides] == before


def test_none_switches_a_filter_off_but_leaves_a_count_at_its_default():
    options = resolve_resolve(
        top_k=None, temperature=None, num_beams=None, max_length=None
    )
    assert options.top_k is None and options.temperature is None
    assert options.num_beams == 1


@pytest.mark.parametrize(
    ("name", "near"), [("num_beam", "num_beams"), ("max_newtokens", "max_new_tokens")]
)
def test_unknown_arguments_are_refused_with_a_near_name(name, near):
    with pytest.raises(ValueError, match=rf"`{name}` \(got 13\).*`{near}`"):
        resolve_resolve(**{name: 13})


def test_numpys_values_are_pythons():
    options = resolve_resolve(
        num_beams=np.int64(3),
        suppress_tokens=np.array([5, 7]),
        eos_token_id=np.array([2, 9]),
        do_sample=np.bool_(True),
    )
    assert type(options.num_beams) is int and options.do_sample is True
    assert options.suppress_tokens == [5, 7] and options.eos_token_ids == (2, 9)
    assert hash(options) == hash(
        resolve_resolve(
            **{
                "num_beams": 3,
                "suppress_tokens": [5, 7],
                "eos_token_id": [2, 9],
                "do_sample": True,
            }
        )
    )


def test_what_transformers_would_stumble_over_is_read_or_refused():
    """Each of these fails within `GenerationConfig`, without the option's name."""
    assert resolve_resolve(suppress_tokens=5).suppress_tokens == [5]
    with pytest.raises(ValueError, match="`suppress_tokens` must hold .* got 1.5"):
        resolve_resolve(suppress_tokens=1.5)
    for value in ({"bias": 2.0}, 5):
        message = f"`watermarking_config` is not supported, got {value}"
        with pytest.raises(ValueError, match=message):
            resolve_resolve(watermarking_config=value)


def test_private_fields_are_no_options():
    with pytest.raises(ValueError, match="_from_model_config"):
        resolve_resolve(_from_model_config=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("guidance_scale", 1.5),
        ("prompt_lookup_num_tokens", 3),
        ("num_assistant_tokens", 13),
        ("token_healing", True),
        ("dola_layers", "low"),
        ("force_words_ids", [[5]]),
        ("low_memory", True),
        ("cache_implementation", "offloaded"),
        ("prefill_chunk_size", 11),
    ],
)
def test_options_that_we_do_not_have_are_refused_wherever_they_are_set(name, value):
    pattern = f"`{name}` is not supported, got "
    with pytest.raises(ValueError, match=pattern):
        resolve_resolve(**{name: value})
    with pytest.raises(ValueError, match=pattern):
        resolve_resolve(GenerationConfig(**{name: value}))
    with pytest.raises(ValueError, match=pattern):
        resolve_resolve(defaults={name: value})


def test_an_entry_that_transformers_does_not_know_either_is_refused():
    with pytest.raises(ValueError, match="`forced_decoder_ids` is not supported"):
        resolve_resolve(defaults={"forced_decoder_ids": [[1, 3]]})


@pytest.mark.parametrize("name", NEUTRAL_VALUES)
def test_values_that_ask_for_nothing_are_accepted(name):
    for value in (*NEUTRAL_VALUES[name], None):
        assert resolve_resolve(**{name: value}).num_beams == 1


def test_a_config_must_be_a_generation_config():
    with pytest.raises(TypeError, match="GenerationConfig, got dict"):
        resolve_options({"num_beams": 3}, defaults=GenerationConfig(**MODEL))


def test_what_generation_config_refuses_is_refused():
    with pytest.raises(ValueError, match="num_return_sequences.*3"):
        resolve_resolve(num_return_sequences=3)
    with pytest.raises(ValueError, match="early_stopping.*sometimes"):
        resolve_resolve(early_stopping="sometimes")


def test_a_config_from_a_models_own_config_is_taken():
    from tf_led.testing import tiny_config

    defaults = GenerationConfig.from_model_config(tiny_config())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = resolve_options(defaults=defaults, overrides={"max_new_tokens": 3})
    assert options.decoder_start_token_id == 2 and options.pad_token_id == 1
