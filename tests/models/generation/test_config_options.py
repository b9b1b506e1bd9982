"""Options of generation where transformers 4 had them: config, from_pretrained."""

import logging

import pytest
from transformers import GenerationConfig

from tests.models.conftest import SMALL, make_model
from tf_led import (
    LEDConfig,
    TFLEDForConditionalGeneration,
    TFLEDForSequenceClassification,
    TFLEDModel,
)
from tf_led.models.generation.config_options import OPTION_NAMES, options_of

IDS = [[5, 6, 7, 2]]
# A value for every option that a script sets on the config, other than the default.
VALUES = {
    "max_length": 7,
    "min_length": 3,
    "num_beams": 3,
    "num_return_sequences": 2,
    "early_stopping": True,
    "length_penalty": 2.0,
    "no_repeat_ngram_size": 3,
    "encoder_no_repeat_ngram_size": 2,
    "repetition_penalty": 1.5,
    "do_sample": True,
    "temperature": 0.7,
    "top_k": 5,
    "top_p": 0.9,
    "typical_p": 0.9,
    "bad_words_ids": [[5], [7, 8]],
    "forced_bos_token_id": 0,
    "forced_eos_token_id": 2,
    "suppress_tokens": [9],
    "begin_suppress_tokens": [11],
    "exponential_decay_length_penalty": (5, 1.2),
    "remove_invalid_values": True,
    "output_scores": True,
    "return_dict_in_generate": True,
    "use_cache": False,
    "pad_token_id": 3,
    "bos_token_id": 5,
    "eos_token_id": 7,
    "decoder_start_token_id": 0,
}


@pytest.fixture
def model():
    return make_model(**SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_an_option_set_on_the_config_counts_and_is_logged(model, name, caplog):
    assert getattr(model.generation_config, name) != VALUES[name]
    setattr(model.config, name, VALUES[name])
    with caplog.at_level(logging.WARNING):
        assert getattr(model.generation_config, name) == VALUES[name]
        assert getattr(model.generation_config, name) == VALUES[name]
    assert caplog.text.count(f"{name}={VALUES[name]!r} of `model.config`") == 1


@pytest.mark.slow
def test_it_goes_for_generate_and_is_saved(model, tmp_path):
    expected = model.generate(IDS, num_beams=3, num_return_sequences=3, max_length=7)
    model.config.num_beams = model.config.num_return_sequences = 3
    model.config.max_length = 7
    assert model.generate(IDS).numpy().tolist() == expected.numpy().tolist()
    model.save_pretrained(tmp_path)
    again = TFLEDForConditionalGeneration.from_pretrained(tmp_path)
    assert again.generation_config.num_beams == 3
    assert again.generate(IDS).numpy().tolist() == expected.numpy().tolist()
    assert (
        TFLEDForConditionalGeneration.from_config(
            model.get_config()
        ).generation_config.num_beams
        == 3
    )


def test_what_is_set_later_wins(model):
    model.config.num_beams = 3
    model.generation_config.num_beams = 5
    assert model.generation_config.num_beams == 5
    model.config.num_beams = 7
    assert model.generation_config.num_beams == 7
    model.generation_config = GenerationConfig(num_beams=2)
    assert model.generation_config.num_beams == 2


def test_a_config_that_has_options_builds_a_model_with_them():
    config = make_model(**SMALL).config
    before = config.to_dict()
    config.num_beams, config.max_length = 4, 9
    made = TFLEDForConditionalGeneration(config)
    assert made.generation_config.num_beams == 4
    assert made.generation_config.max_length == 9
    assert config.to_dict() == {**before, "num_beams": 4, "max_length": 9}


def test_options_of_a_config_are_none_but_those_of_led():
    assert set(options_of(LEDConfig())) <= set(vars(LEDConfig())) & OPTION_NAMES | {
        "output_attentions"
    }


def test_from_pretrained_takes_options(model, tmp_path):
    model.save_pretrained(tmp_path)
    load = TFLEDForConditionalGeneration.from_pretrained
    loaded = load(tmp_path, num_beams=4, max_length=9, eos_token_id=7)
    options = loaded.generation_config
    assert (options.num_beams, options.max_length, options.eos_token_id) == (4, 9, 7)
    assert loaded.config.eos_token_id == 7
    assert not hasattr(loaded.config, "num_beams")
    with pytest.raises(ValueError, match="'num_beam'"):
        load(tmp_path, num_beam=4)


@pytest.mark.parametrize("kind", [TFLEDModel, TFLEDForSequenceClassification])
def test_a_model_that_does_not_generate_takes_none(model, tmp_path, kind):
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="'num_beams'"):
        kind.from_pretrained(tmp_path, num_beams=4)
