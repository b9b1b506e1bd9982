import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_led import TFLEDForConditionalGeneration, TFLEDModel
from tf_led.testing import fill_spread, tiny_config

IDS = tf.constant([[0, 5, 7, 11, 13, 2]])
LONG = tf.constant([[0, *[5, 7, 11, 13] * 24, 2]])  # 98 tokens, the model takes 64


def make_model(cls=TFLEDModel, **overrides):
    config = tiny_config(
        encoder_layers=2, decoder_layers=1, project="kept", **overrides
    )
    model = cls(config)
    fill_spread(model)
    return model


@pytest.fixture
def model():
    return make_model()


@pytest.fixture(scope="module")
def whole():
    """Not to be changed."""
    return make_model()


def table_of(model, half="encoder"):
    return getattr(model.led, half).embed_positions.embeddings.numpy()


@pytest.mark.slow
def test_more_positions_are_the_old_ones_again(model):
    table, decoder_table = table_of(model), table_of(model, "decoder")
    hidden = model(IDS, decoder_input_ids=IDS).last_hidden_state
    model.resize_position_embeddings(163)
    np.testing.assert_array_equal(table_of(model), np.tile(table, [3, 1])[:163])
    np.testing.assert_array_equal(table_of(model, "decoder"), decoder_table)
    again = model(IDS, decoder_input_ids=IDS).last_hidden_state
    np.testing.assert_array_equal(again, hidden)
    assert model(LONG, decoder_input_ids=IDS).encoder_last_hidden_state.shape[1] == 98


def test_fewer_positions_are_the_first_ones(model):
    table = table_of(model, "decoder")
    model.resize_position_embeddings(decoder_positions=7)
    np.testing.assert_array_equal(table_of(model, "decoder"), table[:7])
    assert len(table_of(model)) == 64
    with pytest.raises(ValueError, match="8.*7"):
        model(IDS, decoder_input_ids=tf.ones([1, 8], tf.int32))


def test_the_config_is_new_and_the_old_one_as_it_was(model):
    old = model.config
    fields = copy.deepcopy(old.to_dict())
    model.resize_position_embeddings(67, decoder_positions=37)
    model.set_attention_window([6, 10])
    assert old.to_dict() == fields
    assert model.config.to_dict() == {
        **fields,
        "max_encoder_position_embeddings": 67,
        "max_decoder_position_embeddings": 37,
        "attention_window": [6, 10],
    }
    for part in (model.led, model.led.encoder, model.led.decoder):
        assert part.config is model.config


def test_the_same_number_changes_nothing(model):
    config, variables = model.config, model.variables
    model.resize_position_embeddings(64, decoder_positions=32)
    model.resize_position_embeddings()
    assert model.config is config
    assert all(a is b for a, b in zip(model.variables, variables, strict=True))


@pytest.mark.slow
def test_the_model_is_as_one_built_with_the_new_config(model, tmp_path):
    model.resize_position_embeddings(101)
    model.set_attention_window([6, 10])
    fresh = TFLEDModel(model.config)
    fresh.set_weights(model.get_weights())
    hidden = model(LONG, decoder_input_ids=IDS).encoder_last_hidden_state
    again = fresh(LONG, decoder_input_ids=IDS).encoder_last_hidden_state
    np.testing.assert_array_equal(again, hidden)
    model.save_pretrained(tmp_path)
    loaded = TFLEDModel.from_pretrained(tmp_path)
    again = loaded(LONG, decoder_input_ids=IDS).encoder_last_hidden_state
    np.testing.assert_array_equal(again, hidden)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = loaded(LONG, decoder_input_ids=IDS).encoder_last_hidden_state
    np.testing.assert_array_equal(again, hidden)


@pytest.mark.slow
def test_a_wider_window_sees_more(model):
    ids = LONG[:, :64]
    hidden = model(ids, decoder_input_ids=IDS).encoder_last_hidden_state
    model.set_attention_window(12)
    wider = model(ids, decoder_input_ids=IDS).encoder_last_hidden_state
    assert np.abs(wider - hidden).max() > 0.1
    model.set_attention_window(4)
    again = model(ids, decoder_input_ids=IDS).encoder_last_hidden_state
    np.testing.assert_array_equal(again, hidden)


@pytest.mark.slow
def test_what_the_model_compiled_is_compiled_anew():
    model = make_model(TFLEDForConditionalGeneration)
    options = {"max_new_tokens": 3, "min_new_tokens": 3}
    model.generate(IDS, **options)
    model.resize_position_embeddings(101)
    model.set_attention_window(50)
    ids = model.generate(LONG, **options)
    fresh = TFLEDForConditionalGeneration(model.config)
    fresh.set_weights(model.get_weights())
    np.testing.assert_array_equal(ids, fresh.generate(LONG, **options))


@pytest.mark.slow
def test_a_graph_traced_before_new_positions_fails(model):
    function = tf.function(
        lambda ids: model(ids, decoder_input_ids=ids)[0], autograph=False
    )
    function(IDS)
    model.resize_position_embeddings(67)
    with pytest.raises(tf.errors.InvalidArgumentError, match="embed_positions"):
        function(IDS)


def test_an_optimizer_with_state_is_rejected(model):
    model.compile(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    with pytest.raises(ValueError, match="compiled with Adam"):
        model.resize_position_embeddings(67)
    assert model.config.max_encoder_position_embeddings == 64
    model.set_attention_window(6)  # changes no variable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"new_num_position_embeddings": 0}, "`new_num_position_embeddings`.*got 0"),
        ({"new_num_position_embeddings": "67"}, "got '67'"),
        ({"decoder_positions": 2.5}, "`decoder_positions` must be .* got 2.5"),
    ],
)
def test_a_bad_number_is_rejected(whole, arguments, message):
    with pytest.raises(ValueError, match=message):
        whole.resize_position_embeddings(**arguments)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        (5, "got 5 for layer 0. Try 6"),
        (0, "got 0 for layer 0"),
        ([4, 7], "got 7 for layer 1"),
        ([4], "lists 1 windows"),
        (4.0, "`attention_window` must be an even int.*got 4.0"),
        ("4", "got '4'"),
        (True, "got True"),
        ([4, None], r"got \[4, None\]"),
    ],
)
def test_a_bad_window_is_rejected(whole, windows, message):
    config = whole.config
    with pytest.raises(ValueError, match=message):
        whole.set_attention_window(windows)
    assert whole.config is config


def test_a_quantised_table_is_rejected(model):
    model.led.encoder.embed_positions.quantize("int8", type_check=False)
    with pytest.raises(ValueError, match="position embedding of the encoder has int8"):
        model.resize_position_embeddings(67)
