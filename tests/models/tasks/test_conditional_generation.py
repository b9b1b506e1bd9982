import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.models.conftest import SMALL, make_model
from tests.models.tasks.test_led_model import ARGUMENTS, EVERYTHING

FIELDS = [
    "loss",
    "logits",
    "past_key_values",
    "decoder_hidden_states",
    "decoder_attentions",
    "cross_attentions",
    "encoder_last_hidden_state",
    "encoder_hidden_states",
    "encoder_attentions",
    "encoder_global_attentions",
]


def by_hand(logits, labels):
    """Mean cross-entropy over the labels that are neither -100 nor padding."""
    logits = np.asarray(logits, "float64")
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    counted = (labels != -100) & (labels != 1)
    return -np.mean([log_probs[i, j, labels[i, j]] for i, j in np.argwhere(counted)])


def test_arguments_stand_in_transformers_order():
    parameters = inspect.signature(tf_led.TFLEDForConditionalGeneration.call).parameters
    expected = [*ARGUMENTS[:-1], "labels", "training", "cross_attn_head_mask"]
    assert list(parameters) == ["self", *expected]


def test_every_field_in_order(model, inputs, labels):
    output = model(inputs, labels=labels, **EVERYTHING)
    assert list(output) == [name for name in FIELDS if name != "past_key_values"]
    output = model(inputs, **EVERYTHING)
    assert list(output) == FIELDS[1:]
    fields = model(inputs, **EVERYTHING, return_dict=False)
    assert type(fields) is tuple and len(fields) == 9
    np.testing.assert_array_equal(fields[8][1], output.encoder_global_attentions[1])


def test_loss(model, inputs, labels):
    output = model(inputs, labels=labels)
    assert output.loss.shape == () and output.loss.dtype == tf.float32
    np.testing.assert_allclose(output.loss, by_hand(output.logits, labels), rtol=1e-5)
    padded = np.where(labels == -100, 1, labels)
    np.testing.assert_allclose(model(inputs, labels=padded).loss, output.loss)


def test_the_decoder_starts_from_the_shifted_labels(model, inputs, labels):
    shifted = model.prepare_decoder_input_ids_from_labels(labels)
    assert shifted.numpy().tolist() == [[2, 5, 11], [2, 17, 2]]
    source = {name: inputs[name] for name in inputs if "decoder" not in name}
    output = model(source, labels=labels)
    expected = model(source, decoder_input_ids=shifted)
    np.testing.assert_array_equal(output.logits, expected.logits)
    assert output.past_key_values is None


def test_decoder_embeddings_win_over_labels(model, inputs, labels):
    embeds = model.led.shared(inputs.pop("decoder_input_ids"))
    output = model(inputs, decoder_inputs_embeds=embeds, labels=labels)
    expected = model(inputs, decoder_inputs_embeds=embeds)
    np.testing.assert_array_equal(output.logits, expected.logits)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[5, 29, 2]] * 2, "`labels` holds 29; allowed are the ids 0 to 28"),
        ([[5, 3, -1]] * 2, "`labels` holds -1; .* and -100 for what does not count"),
        ([[5, 3]] * 2, r"`labels` has shape \[2, 2\], expected \[2, 3\]"),
        ([5, 3], r"`labels` has shape \[2\]; expected \[batch, length\]"),
        (np.ones([2, 3]), "`labels` must hold integers, got float32"),
    ],
)
def test_wrong_labels_are_one_line(model, inputs, labels, message):
    with pytest.raises(ValueError, match=message) as caught:
        model(inputs, labels=labels)
    assert len(str(caught.value).splitlines()) == 1


def test_compute_loss_of_ones_own_logits(model, labels):
    logits = np.random.default_rng(0).standard_normal([2, 3, 29])
    loss = model.hf_compute_loss(labels, logits)
    np.testing.assert_allclose(loss, by_hand(logits, labels), rtol=1e-5)
    nothing = np.full_like(labels, -100)
    assert float(model.hf_compute_loss(nothing, logits)) == 0.0
    weighted = model.hf_compute_loss(labels, logits, weights=np.array([1.0, 0.0]))
    np.testing.assert_allclose(weighted, by_hand(logits[:1], labels[:1]), rtol=1e-5)


def test_the_bias_is_added_to_the_logits(inputs):
    model = make_model(**SMALL)
    before = model(inputs).logits
    bias = np.arange(29.0, dtype="float32")[None]
    assert list(model.get_bias()) == ["final_logits_bias"]
    difference = bias - np.array(model.get_bias()["final_logits_bias"])
    model.set_bias({"final_logits_bias": bias})
    np.testing.assert_allclose(
        model(inputs).logits - before,
        np.broadcast_to(difference, [2, 3, 29]),
        atol=1e-4,
    )
    assert not model.final_logits_bias.trainable


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"bias": np.ones([1, 29])},
            r"keys \['bias'\], expected \['final_logits_bias'\]",
        ),
        (
            {"final_logits_bias": np.ones([29])},
            r"has shape \(29,\), expected \(1, 29\)",
        ),
        ({"final_logits_bias": [[0.0, 1.0]]}, r"has shape \(1, 2\), expected"),
    ],
)
def test_a_bias_that_does_not_fit_is_rejected(model, value, message):
    with pytest.raises(ValueError, match=message):
        model.set_bias(value)


def test_there_is_one_table_of_tokens():
    model = make_model(**SMALL)
    shared = model.get_input_embeddings()
    assert model.get_output_embeddings() is shared
    assert (
        model.get_encoder().embed_tokens is model.get_decoder().embed_tokens is shared
    )
    table = np.random.default_rng(3).standard_normal([29, 12]).astype("float32")
    model.set_output_embeddings(table)
    np.testing.assert_array_equal(shared.embeddings, table)
    source = keras.layers.Embedding(29, 12)
    source.build((None,))
    model.set_input_embeddings(source)
    np.testing.assert_array_equal(shared.embeddings, source.embeddings)
    with pytest.raises(ValueError, match=r"shape \(31, 12\), expected \(29, 12\)"):
        model.set_input_embeddings(np.ones([31, 12]))
    with pytest.raises(ValueError, match=r"shape \(1, 2\), .* resize_token_embeddings"):
        model.set_input_embeddings([[0.0, 1.0]])


def test_its_parts(model):
    assert model.can_generate() is True
    assert isinstance(model.get_encoder(), keras.layers.Layer)
    assert model.get_decoder() is model.led.decoder


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(model, inputs, labels, policy):
    half = make_model(options={"dtype": policy})
    output = half(inputs, labels=labels)
    expected = model(inputs, labels=labels)
    assert output.logits.dtype == policy.removeprefix("mixed_")
    assert output.loss.dtype == tf.float32
    assert {v.dtype for v in half.weight_table().values()} == {"float32"}
    np.testing.assert_allclose(output.loss, expected.loss, rtol=0.1)
    assert half.led.encoder.layers_0.fc1.compute_dtype == output.logits.dtype
