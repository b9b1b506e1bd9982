import copy
import json
import traceback

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers import BartConfig

import tf_led
from tests.models.conftest import SMALL, make_model
from tf_led.layers.encoder_attention import EncoderAttention
from tf_led.models.inputs.named_inputs import NamedInputs
from tf_led.testing import tiny_config


def outputs_of(model, inputs):
    return np.asarray(model(inputs).logits)


def assert_same_weights(one, other):
    table = other.weight_table()
    for path, variable in one.weight_table().items():
        np.testing.assert_array_equal(variable, table[path], err_msg=path)


def test_every_weight_is_there_at_once():
    model = tf_led.TFLEDModel(tiny_config())
    assert model.built and len(model.weight_table()) == 103
    again = tf_led.TFLEDModel(tiny_config(), name="again")
    again.set_weights(model.get_weights())


def test_dummy_inputs(model):
    dummies = model.dummy_inputs
    assert set(dummies) == {
        "input_ids",
        "attention_mask",
        "global_attention_mask",
        "decoder_input_ids",
        "decoder_attention_mask",
    }
    for tensor in dummies.values():
        assert tensor.dtype == tf.int32 and tensor.numpy().tolist() == [[1, 1]]
    assert model(dummies).logits.shape == [1, 2, 29]


def test_names_of_the_class(model):
    cls = tf_led.TFLEDForConditionalGeneration
    assert cls.config_class is tf_led.LEDConfig
    assert cls.base_model_prefix == "led" and cls.main_input_name == "input_ids"
    assert isinstance(model, tf_led.TFLEDPreTrainedModel)
    assert issubclass(tf_led.TFLEDPreTrainedModel, NamedInputs)


@pytest.mark.parametrize("config", ["some/name", BartConfig(), {"d_model": 12}])
def test_what_is_no_config_is_rejected(config):
    with pytest.raises(
        TypeError, match=f"LEDConfig, got {type(config).__name__}. To load"
    ):
        tf_led.TFLEDModel(config)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attention_window": 5}, "got 5 for layer 0"),
        ({"attention_window": [4, 6, 8]}, "lists 3 windows"),
        ({"encoder_attention_heads": 5}, "`d_model` 12 is not a multiple .* 5"),
        ({"activation_function": "mish"}, "`activation_function` is 'mish'"),
    ],
)
def test_configs_that_led_cannot_have_are_rejected(fields, message):
    with pytest.raises(ValueError, match=message):
        tf_led.TFLEDModel(tiny_config(**fields))


def test_a_bound_that_is_no_positive_int_raises():
    with pytest.raises(ValueError, match="`max_global_tokens` is -1"):
        tf_led.TFLEDModel(tiny_config(), max_global_tokens=-1)


@pytest.mark.parametrize("window", [6, [6]])
def test_the_config_is_never_changed(window, inputs, labels, tmp_path):
    config = tiny_config(**{**SMALL, "attention_window": window}, mine={"a": [3]})
    before = copy.deepcopy(config.to_dict())
    model = tf_led.TFLEDForConditionalGeneration(config)
    model(inputs, output_attentions=True)
    model.compile("sgd", run_eagerly=True)
    model.train_on_batch({**inputs, "labels": labels})
    model.save_pretrained(tmp_path)
    model.save(tmp_path / "model.keras")
    assert model.config is config
    assert config.to_dict() == before and config.attention_window == window


def test_unknown_keys_of_the_config_are_kept(tmp_path):
    model = make_model(**SMALL, mine={"a": [3]})
    model.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["mine"] == {"a": [3]} and written["attention_window"] == 14
    assert written["architectures"] == ["LEDForConditionalGeneration"]
    again = tf_led.TFLEDForConditionalGeneration.from_pretrained(tmp_path)
    assert again.config.mine == {"a": [3]} and again.config.attention_window == 14
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.config.mine == {"a": [3]} and again.config.attention_window == 14


@pytest.fixture(scope="module")
def small():
    """With a bias that is not 0: it stands outside all layers."""
    model = make_model(**SMALL)
    assert np.abs(model.final_logits_bias).max() > 0.1
    return model


def test_keras_file(small, inputs, tmp_path):
    small.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(small)
    assert_same_weights(small, again)
    np.testing.assert_array_equal(outputs_of(again, inputs), outputs_of(small, inputs))
    assert again.config.to_dict() == small.config.to_dict()


def test_a_keras_file_of_a_compiled_model_goes_on_training(inputs, labels, tmp_path):
    """Optimizer, its state and its settings come back; nothing is warned of."""
    model = make_model(**SMALL)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.train_on_batch({**inputs, "labels": labels})
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.run_eagerly and float(again.optimizer.learning_rate) == np.float32(
        0.01
    )
    assert int(again.optimizer.iterations) == 1
    for one, other in zip(
        model.optimizer.variables, again.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_weights_file(small, tmp_path):
    small.save_weights(tmp_path / "model.weights.h5")
    again = make_model(seed=5, **SMALL)
    again.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(small, again)


def test_tensorflow_checkpoint(small, tmp_path):
    path = tf.train.Checkpoint(model=small).save(str(tmp_path / "checkpoint"))
    again = make_model(seed=5, **SMALL)
    status = tf.train.Checkpoint(model=again).restore(path)
    status.assert_existing_objects_matched()
    assert_same_weights(small, again)


def test_pretrained_directory(small, inputs, tmp_path):
    small.save_pretrained(tmp_path)
    again = type(small).from_pretrained(tmp_path)
    assert again.name_or_path == str(tmp_path)
    np.testing.assert_array_equal(outputs_of(again, inputs), outputs_of(small, inputs))


def test_the_policy_is_kept(tmp_path):
    model = make_model(**SMALL, options={"dtype": "mixed_float16"})
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.dtype_policy.name == "mixed_float16"
    assert again.led.decoder.layers_0.fc1.compute_dtype == "float16"


def test_a_clone_has_the_form_but_not_the_weights(small):
    clone = keras.models.clone_model(small)
    assert clone.config.to_dict() == small.config.to_dict()
    assert np.any(clone.led.shared.embeddings != small.led.shared.embeddings)


def test_num_parameters(small):
    everything = sum(v.numpy().size for v in small.weight_table().values())
    assert small.num_parameters() == everything
    assert small.num_parameters(only_trainable=True) == everything - 29
    small.summary(print_fn=lambda *args, **kwargs: None)


DROPOUT = {"dropout": 0.2, "attention_dropout": 0.3, "activation_dropout": 0.4}


def test_gradient_checkpointing_changes_no_gradient(inputs, labels):
    """Nor the loss: what is recomputed drops the same."""
    model = make_model(**SMALL, **DROPOUT)
    variables = [variable.value for variable in model.trainable_variables]
    seeds = [
        part.seed_generator.state for part in (model.led.encoder, model.led.decoder)
    ]
    states = [np.array(seed) for seed in seeds]

    def train():
        for seed, state in zip(seeds, states, strict=True):
            seed.assign(state)
        with tf.GradientTape() as tape:
            loss = model(inputs, labels=labels, training=True).loss
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        return float(loss), [np.array(tf.convert_to_tensor(g)) for g in gradients]

    loss, gradients = train()
    assert not model.is_gradient_checkpointing
    model.gradient_checkpointing_enable()
    assert model.is_gradient_checkpointing
    again, checkpointed = train()
    assert loss == again
    for one, other in zip(gradients, checkpointed, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing
    assert train()[0] == loss != float(model(inputs, labels=labels).loss)


def test_the_models_are_composed_of_a_handful_of_classes():
    """Methods are functions in named modules, not mixins."""
    mro = tf_led.TFLEDModel.__mro__
    assert len([cls for cls in mro if cls.__module__.startswith("tf_led")]) <= 7
    assert tf_led.TFLEDModel.enable_lora.__module__.endswith("pretrained.finetuning")


def test_repr_shows_what_kind_of_model_it_is(base):
    text = repr(base)
    size = sum(int(np.prod(v.shape)) for v in base.variables)
    assert text.startswith("<TFLEDModel ") and f"{base.count_params():,}" in text
    assert abs(base.count_params() - size) <= 2 * 2  # the seeds of two generators
    for part in ("float32", "[14, 16]", "64 + 32 positions", "29"):
        assert part in text


@pytest.mark.parametrize("way", ["config", "argument", "file"])
def test_gradient_checkpointing_of_the_config_is_obeyed(way, tmp_path):
    field = {} if way == "argument" else {"gradient_checkpointing": True}
    config = tiny_config(**SMALL, **field)
    model = tf_led.TFLEDModel(config)
    if way != "config":
        model.save_pretrained(tmp_path)
        options = {"gradient_checkpointing": True} if way == "argument" else {}
        model = tf_led.TFLEDModel.from_pretrained(tmp_path, **options)
    assert model.is_gradient_checkpointing
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


@pytest.mark.parametrize("part", ["model", "encoder", "generate"])
def test_autograph_converts_the_users_function_alone(part, monkeypatch):
    # Converting ours as well took as long as a third of tracing it.
    model = make_model()
    call = {"model": model, "encoder": model.get_encoder(), "generate": model.generate}
    options = {"max_new_tokens": 2} if part == "generate" else {}
    converted, attend = [], EncoderAttention.call

    def noted(layer, *inputs, **named):
        frames = traceback.extract_stack()
        converted.extend(
            frame.name for frame in frames if "__autograph_generated" in frame.filename
        )
        return attend(layer, *inputs, **named)

    monkeypatch.setattr(EncoderAttention, "call", noted)

    @tf.function
    def run(ids):
        return call[part](ids, **options)

    run(tf.constant([[0, 5, 7, 2]]))
    # The wrapper is TensorFlow's, by which it is told to convert no more.
    assert "tf__run" in converted and {*converted} <= {"tf__run", "tf__wrapper"}
