"""Options from configurations and keyword arguments, as transformers merges them."""

import copy
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation.options.resolve import (
    NEUTRAL_VALUES,
    merge_options,
    resolve_options,
)


def resolved_tokens(start=None, bos=None, eos=None, pad=None):
    names = ("decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    given = dict(zip(names, (start, bos, eos, pad), strict=True))
    overrides = {"max_new_tokens": 3}
    options = resolve_options(
        GenerationConfig(), overrides=overrides | given, vocab_size=29
    )
    return tuple(getattr(options, name) for name in names if name != "bos_token_id")


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


def test_the_start_token_is_looked_up_from_near_to_far():
    def start(config, defaults, **overrides):
        return merge_options(config, defaults, overrides).start_token_id

    near = GenerationConfig(decoder_start_token_id=5)
    far = GenerationConfig(decoder_start_token_id=2)
    assert start(near, far, decoder_start_token_id=7) == 7
    assert start(near, far) == 5
    assert start(None, far) == start(GenerationConfig(), far) == 2
    assert start(None, GenerationConfig(bos_token_id=3)) == 3


@pytest.mark.parametrize("wrong", [-3, 2.5, "2", True, [2, -3]])
@pytest.mark.parametrize("name", ["start", "eos", "pad"])
def test_ids_must_be_ids(name, wrong):
    with pytest.raises(ValueError, match="_token_id` must .*got ") as caught:
        resolved_tokens(**{"bos": 0, "eos": 2, name: wrong})
    assert repr(wrong[-1] if isinstance(wrong, list) else wrong) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"start": 29}, "decoder_start_token_id"),
        ({"eos": [2, 29]}, "eos_token_id"),
        ({"pad": 29}, "pad_token_id"),
    ],
)
def test_ids_must_be_in_the_vocabulary(given, name):
    with pytest.raises(ValueError, match=f"`{name}` is 29, .* ids 0 to 28"):
        resolved_tokens(**{"bos": 0, "eos": 28, **given})


MODEL = {"decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}


def merge(generation_config=None, defaults=None, **overrides):
    overrides.setdefault("max_new_tokens", 7)
    return resolve_options(
        generation_config,
        defaults=GenerationConfig(**MODEL, **(defaults or {})),
        overrides=overrides,
    )


def test_arguments_win_over_the_config_and_that_over_the_models():
    config = GenerationConfig(num_beams=3, length_penalty=2.0)
    defaults = {"num_beams": 5, "length_penalty": 0.5, "no_repeat_ngram_size": 3}
    options = merge(config, defaults, num_beams=7)
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
    options = merge(top_k=None, temperature=None, num_beams=None, max_length=None)
    assert options.top_k == 0 and options.temperature == 1
    assert options.num_beams == 1


@pytest.mark.parametrize(
    ("name", "near"), [("num_beam", "num_beams"), ("max_newtokens", "max_new_tokens")]
)
def test_unknown_arguments_are_rejected_with_a_near_name(name, near):
    with pytest.raises(ValueError, match=rf"`{name}` \(got 13\).*`{near}`"):
        merge(**{name: 13})


def test_numpys_values_are_pythons():
    options = merge(
        num_beams=np.int64(3),
        suppress_tokens=np.array([5, 7]),
        eos_token_id=np.array([2, 9]),
        do_sample=np.bool_(True),
    )
    assert type(options.num_beams) is int and options.do_sample is True
    assert options.suppress_tokens == [5, 7] and options.eos_token_ids == (2, 9)
    assert hash(options) == hash(
        merge(
            **{
                "num_beams": 3,
                "suppress_tokens": [5, 7],
                "eos_token_id": [2, 9],
                "do_sample": True,
            }
        )
    )


def test_what_transformers_would_stumble_over_is_read_or_rejected():
    """Each of these fails within `GenerationConfig`, without the option's name."""
    assert merge(suppress_tokens=5).suppress_tokens == [5]
    with pytest.raises(ValueError, match="`suppress_tokens` must hold .* got 1.5"):
        merge(suppress_tokens=1.5)
    for value in ({"bias": 2.0}, 5):
        message = f"`watermarking_config` is not supported, got {value}"
        with pytest.raises(ValueError, match=message):
            merge(watermarking_config=value)


def test_private_fields_are_no_options():
    with pytest.raises(ValueError, match="_from_model_config"):
        merge(_from_model_config=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("guidance_scale", 1.5),
        ("num_assistant_tokens_schedule", "heuristic"),
        ("token_healing", True),
        ("dola_layers", "low"),
        ("force_words_ids", [[5]]),
        ("low_memory", True),
        ("cache_implementation", "offloaded"),
        ("prefill_chunk_size", 11),
    ],
)
def test_options_that_we_do_not_have_are_rejected_wherever_they_are_set(name, value):
    pattern = f"`{name}` is not supported, got "
    with pytest.raises(ValueError, match=pattern):
        merge(**{name: value})
    with pytest.raises(ValueError, match=pattern):
        merge(GenerationConfig(**{name: value}))
    with pytest.raises(ValueError, match=pattern):
        merge(defaults={name: value})


def test_an_entry_that_transformers_does_not_know_either_is_rejected():
    with pytest.raises(ValueError, match="`forced_decoder_ids` is not supported"):
        merge(defaults={"forced_decoder_ids": [[1, 3]]})


@pytest.mark.parametrize("name", NEUTRAL_VALUES)
def test_values_that_ask_for_nothing_are_accepted(name):
    for value in (*NEUTRAL_VALUES[name], None):
        assert merge(**{name: value}).num_beams == 1


def test_a_config_must_be_a_generation_config():
    with pytest.raises(TypeError, match="GenerationConfig, got dict"):
        resolve_options({"num_beams": 3}, defaults=GenerationConfig(**MODEL))


def test_what_generation_config_rejects_is_rejected():
    with pytest.raises(ValueError, match="num_return_sequences.*3"):
        merge(num_return_sequences=3)
    with pytest.raises(ValueError, match="early_stopping.*sometimes"):
        merge(early_stopping="sometimes")


def test_a_config_from_a_models_own_config_is_taken():
    from tf_led.testing import tiny_config

    defaults = GenerationConfig.from_model_config(tiny_config())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = resolve_options(defaults=defaults, overrides={"max_new_tokens": 3})
    assert options.decoder_start_token_id == 2 and options.pad_token_id == 1


@pytest.mark.parametrize("variable", [tf.Variable, keras.Variable])
def test_variables_count_with_the_value_that_they_hold(variable):
    given = {"max_new_tokens": 3, "eos_token_id": [5, 7], "do_sample": True}
    config = GenerationConfig(decoder_start_token_id=2)
    options = resolve_options(
        config, overrides={name: variable(value) for name, value in given.items()}
    )
    assert options.max_length == 4 and options.eos_token_id == [5, 7]
    assert options.do_sample is True
    with pytest.raises(ValueError, match=r"`num_beams` .* shape \(2,\)"):
        resolve_options(config, overrides={"num_beams": variable([3, 3])})


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p"])
def test_text_is_no_number_even_where_nothing_is_sampled(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a number, got '2'"):
        resolve_options(overrides={name: "2", "decoder_start_token_id": 2})
