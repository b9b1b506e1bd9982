"""Options from configurations and keyword arguments, as transformers merges them."""

import copy
import warnings

import numpy as np
import pytest
from transformers import GenerationConfig

from tf_led.generation.option_names import DEFAULTS, NEUTRAL_VALUES
from tf_led.generation.resolve import resolve_options

MODEL = {"decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}


def resolve(generation_config=None, defaults=None, **overrides):
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
    options = resolve(config, defaults, num_beams=7)
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
    options = resolve(top_k=None, temperature=None, num_beams=None, max_length=None)
    assert options.top_k is None and options.temperature is None
    assert options.num_beams == 1


@pytest.mark.parametrize(
    ("name", "near"), [("num_beam", "num_beams"), ("max_newtokens", "max_new_tokens")]
)
def test_unknown_arguments_are_refused_with_a_near_name(name, near):
    with pytest.raises(ValueError, match=rf"`{name}` \(got 13\).*`{near}`"):
        resolve(**{name: 13})


def test_numpys_values_are_pythons():
    options = resolve(
        num_beams=np.int64(3),
        suppress_tokens=np.array([5, 7]),
        eos_token_id=np.array([2, 9]),
        do_sample=np.bool_(True),
    )
    assert type(options.num_beams) is int and options.do_sample is True
    assert options.suppress_tokens == [5, 7] and options.eos_token_ids == (2, 9)
    assert hash(options) == hash(
        resolve(
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
    assert resolve(suppress_tokens=5).suppress_tokens == [5]
    with pytest.raises(ValueError, match="`suppress_tokens` must hold .* got 1.5"):
        resolve(suppress_tokens=1.5)
    for value in ({"bias": 2.0}, 5):
        message = f"`watermarking_config` is not supported, got {value}"
        with pytest.raises(ValueError, match=message):
            resolve(watermarking_config=value)


def test_private_fields_are_no_options():
    with pytest.raises(ValueError, match="_from_model_config"):
        resolve(_from_model_config=True)


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
        resolve(**{name: value})
    with pytest.raises(ValueError, match=pattern):
        resolve(GenerationConfig(**{name: value}))
    with pytest.raises(ValueError, match=pattern):
        resolve(defaults={name: value})


def test_an_entry_that_transformers_does_not_know_either_is_refused():
    with pytest.raises(ValueError, match="`forced_decoder_ids` is not supported"):
        resolve(defaults={"forced_decoder_ids": [[1, 3]]})


@pytest.mark.parametrize("name", NEUTRAL_VALUES)
def test_values_that_ask_for_nothing_are_accepted(name):
    for value in (*NEUTRAL_VALUES[name], None):
        assert resolve(**{name: value}).num_beams == 1


def test_a_config_must_be_a_generation_config():
    with pytest.raises(TypeError, match="GenerationConfig, got dict"):
        resolve_options({"num_beams": 3}, defaults=GenerationConfig(**MODEL))


def test_what_generation_config_refuses_is_refused():
    with pytest.raises(ValueError, match="num_return_sequences.*3"):
        resolve(num_return_sequences=3)
    with pytest.raises(ValueError, match="early_stopping.*sometimes"):
        resolve(early_stopping="sometimes")


def test_a_config_from_a_models_own_config_is_taken():
    from tf_led.testing import tiny_config

    defaults = GenerationConfig.from_model_config(tiny_config())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = resolve_options(defaults=defaults, overrides={"max_new_tokens": 3})
    assert options.decoder_start_token_id == 2 and options.pad_token_id == 1
