import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import BatchEncoding

import tf_led
from tests.models.conftest import SMALL, make_model

ARGUMENTS = [
    "input_ids",
    "attention_mask",
    "decoder_input_ids",
    "decoder_attention_mask",
    "head_mask",
    "decoder_head_mask",
    "encoder_outputs",
    "global_attention_mask",
    "past_key_values",
    "inputs_embeds",
    "decoder_inputs_embeds",
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "training",
]
EVERYTHING = {"output_attentions": True, "output_hidden_states": True}


def test_arguments_stand_in_transformers_order():
    parameters = inspect.signature(tf_led.TFLEDModel.call).parameters
    assert list(parameters) == ["self", *ARGUMENTS, "cross_attn_head_mask"]
    assert parameters["cross_attn_head_mask"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize(
    "form", ["names", "dict", "encoding", "list", "places", "mixed"]
)
def test_ways_to_call(base, inputs, form):
    names = ["input_ids", "attention_mask", "decoder_input_ids"]
    given = {name: inputs[name] for name in names}
    arrays = list(given.values())
    output = {
        "names": lambda: base(**given),
        "dict": lambda: base(given),
        "encoding": lambda: base(BatchEncoding(given)),
        "list": lambda: base(arrays),
        "places": lambda: base(*(array.tolist() for array in arrays)),
        "mixed": lambda: base(arrays[0], arrays[1], decoder_input_ids=arrays[2]),
    }[form]()
    whole = base(**{name: tf.constant(array) for name, array in given.items()})
    np.testing.assert_array_equal(output[0], whole.last_hidden_state)


def test_every_field_in_order(base, inputs):
    output = base(inputs, **EVERYTHING)
    assert list(output) == [
        "last_hidden_state",
        "past_key_values",
        "decoder_hidden_states",
        "decoder_attentions",
        "cross_attentions",
        "encoder_last_hidden_state",
        "encoder_hidden_states",
        "encoder_attentions",
        "encoder_global_attentions",
    ]
    assert output.past_key_values[1][0].shape == [2, 3, 3, 4]
    assert output.past_key_values[1][3].shape == [2, 3, 7, 4]
    fields = base(inputs, **EVERYTHING, return_dict=False)
    assert type(fields) is tuple and len(fields) == 9
    np.testing.assert_array_equal(fields[8][1], output.encoder_global_attentions[1])


def test_it_is_what_the_other_model_reads_its_logits_from(base, model, inputs):
    states = base(inputs).last_hidden_state
    logits = model(inputs).logits
    np.testing.assert_allclose(model.score_tokens(states), logits, rtol=1e-4, atol=1e-4)


def test_it_has_no_head(base):
    assert base.get_output_embeddings() is None
    assert base.get_bias() is None
    assert base.can_generate() is False


def keras_inputs(names):
    return {name: keras.Input([None], dtype="int32", name=name) for name in names}


@pytest.fixture(scope="module")
def functional():
    """A classifier of a user's own, and the LED in it."""
    base = make_model(tf_led.TFLEDModel, **SMALL)
    given = keras_inputs(["input_ids", "attention_mask", "global_attention_mask"])
    states = base(given, use_cache=False).last_hidden_state
    scores = keras.layers.Dense(5, name="head")(states[:, -1])
    return keras.Model(given, scores), base


def source_of(inputs):
    return {name: array for name, array in inputs.items() if "decoder" not in name}


def test_a_functional_model_computes_the_same(functional, inputs):
    model, base = functional
    given = source_of(inputs)
    states = base(given).last_hidden_state
    expected = model.get_layer("head")(states[:, -1])
    np.testing.assert_allclose(model(given), expected, atol=1e-5)


def test_a_functional_model_trains_every_weight(functional, inputs):
    model, base = functional
    assert len(model.trainable_variables) == len(base.trainable_variables) + 2
    before = [np.array(variable) for variable in base.trainable_variables]
    model.compile("sgd", "mse", run_eagerly=True)
    model.train_on_batch(source_of(inputs), np.ones([2, 5]))
    moved = [
        np.abs(old - variable).max() > 0
        for old, variable in zip(before, base.trainable_variables, strict=True)
    ]
    assert np.mean(moved) > 0.9  # All but key biases, which softmax does not see.


def test_a_functional_model_is_saved_whole(functional, inputs, tmp_path):
    model, _ = functional
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = source_of(inputs)
    np.testing.assert_allclose(again(given), model(given), atol=1e-6)


class Reranker(keras.Model):
    """A user's own subclass."""

    def __init__(self, led):
        super().__init__()
        self.led = led
        self.head = keras.layers.Dense(1)

    def call(self, inputs):
        states = self.led(inputs, decoder_input_ids=inputs["input_ids"][:, :1])
        return self.head(states.last_hidden_state[:, 0])


def test_a_subclassed_model_tracks_and_trains_it(inputs):
    led = make_model(tf_led.TFLEDModel, **SMALL)
    model = Reranker(led)
    given = {name: tf.constant(array) for name, array in source_of(inputs).items()}
    model.compile("sgd", "mse", run_eagerly=True)
    before = np.array(led.led.encoder.layers_0.fc1.kernel)
    model.fit(given, np.ones([2, 1]), verbose=0)
    assert len(model.trainable_variables) == len(led.trainable_variables) + 2
    assert np.abs(led.led.encoder.layers_0.fc1.kernel - before).max() > 0
    led.trainable = False
    assert len(model.trainable_variables) == 2
