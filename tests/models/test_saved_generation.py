import copy
import json

import keras
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tf_led import TFLEDForConditionalGeneration
from tf_led.testing import fill_spread, spread_weights, tiny_config

OPTIONS = {
    "num_beams": 3,
    "eos_token_id": [2, 7],
    "length_penalty": 0.5,
    "bad_words_ids": [[5, 11], [13]],
    "early_stopping": "never",
    "max_new_tokens": 17,
}
IDS = tf.constant([[0, 5, 7, 2]])


@pytest.fixture
def model():
    model = TFLEDForConditionalGeneration(
        tiny_config(encoder_layers=1, decoder_layers=1)
    )
    fill_spread(model)
    model.generation_config = GenerationConfig(**OPTIONS)
    return model


def through_keras(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.models.load_model(tmp_path / "model.keras")


def through_config(model, tmp_path):
    config = json.loads(json.dumps(model.get_config()))
    made = TFLEDForConditionalGeneration.from_config(config)
    made.set_weights(model.get_weights())
    return made


@pytest.mark.parametrize(
    "duplicate",
    [
        through_keras,
        through_config,
        lambda model, _: copy.deepcopy(model),
        lambda model, _: copy.copy(model),
    ],
    ids=["keras", "config", "deepcopy", "copy"],
)
def test_a_duplicate_generates_as_the_model_does(model, tmp_path, duplicate):
    made = duplicate(model, tmp_path)
    assert made is not model
    assert made.generation_config.to_dict() == model.generation_config.to_dict()
    for name, value in OPTIONS.items():
        assert getattr(made.generation_config, name) == value
    assert made.config.to_dict() == model.config.to_dict()
    tf.debugging.assert_equal(made(IDS).logits, model(IDS).logits)


def test_a_deep_copy_shares_nothing(model):
    made = copy.deepcopy(model)
    made.generation_config.num_beams = 5
    made.led.shared._embeddings.assign(tf.zeros([29, 12]))
    assert model.generation_config.num_beams == 3
    assert tf.reduce_max(tf.abs(model.led.shared.embeddings)) > 1


@pytest.mark.parametrize("kind", ["LEDConfig", "without"])
def test_what_names_no_generation_config_gets_that_of_the_config(kind):
    config = tiny_config(encoder_layers=1, decoder_layers=1, decoder_start_token_id=19)
    given = config if kind == "LEDConfig" else {"config": config.to_dict()}
    made = TFLEDForConditionalGeneration.from_config(given, name="made")
    assert made.name == "made"
    assert made.generation_config.decoder_start_token_id == 19


def test_parameters_and_variables_are_counted(model, capsys):
    weights = spread_weights(model.config)
    total = sum(weight.size for weight in weights.values())
    assert model.count_params() == model.num_parameters() == total
    assert model.num_parameters(only_trainable=True) == total - 29  # the bias
    # One state more for each of encoder and decoder: the seed of its dropout.
    assert len(model.variables) == len(weights) + 2
    model.summary()
    assert f"Total params: {total:,}" in capsys.readouterr().out
