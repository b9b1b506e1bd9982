import copy
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import GenerationConfig

from tests.models.conftest import SMALL, make_model
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


SOURCE = ["input_ids", "attention_mask", "global_attention_mask"]


@pytest.fixture(scope="module")
def small():
    return make_model(**SMALL)


@pytest.fixture
def document(inputs):
    return {name: inputs[name] for name in SOURCE}


def by_hand(model, document, steps):
    """The likeliest token each time, in a loop of a user's own over the cache."""
    encoder_outputs = model.get_encoder()(document)
    tokens, past = np.full([2, 1], 2), None
    for _ in range(steps):
        output = model(
            **model.prepare_inputs_for_generation(
                tokens,
                past_key_values=past,
                encoder_outputs=encoder_outputs,
                attention_mask=document["attention_mask"],
                use_cache=True,
            )
        )
        past = output.past_key_values
        tokens = np.c_[tokens, np.argmax(output.logits[:, -1], -1)]
    return tokens


def test_greedy_search_equals_a_loop_by_hand(small, document):
    """Not ended early: the loop by hand knows no end."""
    expected = by_hand(small, document, 5)
    options = {"max_new_tokens": 5, "min_new_tokens": 5, "eos_token_id": None}
    generated = small.generate(document, num_beams=1, **options)
    np.testing.assert_array_equal(generated, expected)
    # With the same options nothing is traced again, whatever the documents.
    count = len(small._compiled_generation)
    other = {name: array[:1, :6] for name, array in document.items()}
    again = small.generate(other, num_beams=1, **options)
    assert again.shape == (1, 6) and len(small._compiled_generation) == count
    # Arrays by name, and what the encoder made of them, are the same documents.
    by_name = small.generate(**document, num_beams=1, **options)
    np.testing.assert_array_equal(by_name, expected)


def test_the_config_of_generation_follows_the_models():
    model = make_model(**SMALL, bos_token_id=7, forced_eos_token_id=None)
    config = model.generation_config
    assert isinstance(config, GenerationConfig)
    assert (config.bos_token_id, config.decoder_start_token_id) == (7, 2)
    assert (config.pad_token_id, config.eos_token_id) == (1, 2)


def test_the_next_step_reads_the_last_token_only():
    prepare = make_model(**SMALL).prepare_inputs_for_generation
    ids = np.array([[2, 5, 7]])
    assert prepare(ids)["decoder_input_ids"] is ids
    step = prepare(ids, past_key_values=((),), decoder_head_mask=3)
    assert step["decoder_input_ids"].tolist() == [[7]]
    assert step["decoder_head_mask"] == 3


def test_what_the_next_step_has_no_use_for_is_rejected(small):
    with pytest.raises(ValueError, match="no use for 'global_attention_mask'"):
        small.prepare_inputs_for_generation([[2]], global_attention_mask=[[1]])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "needs the documents"),
        ({"inputs": [[3, 29]]}, "`input_ids` holds 29"),
        ({"inputs": [[3] * 65]}, "`input_ids` has 65 tokens"),
        ({"inputs": [[3]], "attention_mask": [[0.5]]}, "is a float32 mask"),
        (
            {"inputs": [[3]], "decoder_head_mask": tf.ones([5])},
            "`decoder_head_mask` has",
        ),
        ({"inputs": [[3]], "num_beems": 3}, "num_beems"),
        (
            {"inputs": [[3]], "global_attention": [[1]]},
            "`global_attention` .* mean `global_attention_mask`",
        ),
        ({"inputs": [[3]], "seed": 5}, "`seed` is 5, but nothing is sampled"),
        ({"inputs": [[3]], "pad_token_id": 29}, "`pad_token_id` is 29"),
        (
            {
                "inputs": [[3]],
                "decoder_input_ids": [[2, 3]],
                "decoder_attention_mask": [[1, -1]],
            },
            "`decoder_attention_mask` holds -1",
        ),
    ],
)
def test_wrong_input_is_rejected(small, kwargs, message):
    """Before anything is compiled."""
    count = len(small._compiled_generation)
    with pytest.raises(ValueError, match=message):
        small.generate(max_new_tokens=2, **kwargs)
    assert len(small._compiled_generation) <= count + 1


def test_a_config_must_be_a_config(small):
    with pytest.raises(TypeError, match="GenerationConfig, got dict"):
        small.generate([[3]], {"num_beams": 2})


def test_start_tokens_may_be_numpys(small):
    ids = small.generate(
        [[3, 5], [7, 5]], decoder_start_token_id=np.array([2, 11]), max_new_tokens=1
    )
    assert ids[:, 0].numpy().tolist() == [2, 11]
