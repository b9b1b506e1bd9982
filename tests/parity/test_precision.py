"""Half precision stays finite, forward and backward, whatever is masked."""

import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.parity.compare import relative_error
from tests.parity.gradients import gradient_tensors, with_labels
from tests.parity.oracle import INPUTS, to_tensors
from tests.parity.patterns import PATTERNS, make_inputs
from tf_led.testing import fill_spread, tiny_config

POLICIES = ["mixed_bfloat16", "mixed_float16"]


@pytest.fixture(scope="module")
def get_model():
    """Makes one model of each precision, all with the same weights."""
    models = {}

    def get(policy):
        if policy not in models:
            config = tiny_config(attention_window=[8, 4])
            model = tf_led.TFLEDForConditionalGeneration(config, dtype=policy)
            fill_spread(model)
            models[policy] = model, compile_step(model)
        return models[policy]

    return get


def compile_step(model):
    """Outputs, loss and gradients in one graph for all shapes."""
    names = [*INPUTS, "labels"]
    signature = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}

    def step(inputs):
        loss, gradients = gradient_tensors(model, inputs)
        return model(inputs, output_hidden_states=True), loss, gradients

    return tf.function(step, input_signature=[signature])


def nothing_real(seed, length):
    """A document without a token, decoder inputs without one, a global mask of -1."""
    inputs = make_inputs("padded_targets", seed, length)
    inputs["attention_mask"][0] = 0
    inputs["decoder_attention_mask"][1] = 0
    inputs["global_attention_mask"][2] = -1
    return inputs


def make(pattern, seed, length):
    """Inputs with labels and every mask."""
    if pattern == "nothing_real":
        inputs = nothing_real(seed, length)
    else:
        inputs = make_inputs(pattern, seed, length)
    masks = {
        "attention_mask": np.ones_like(inputs["input_ids"]),
        "global_attention_mask": np.zeros_like(inputs["input_ids"]),
        "decoder_attention_mask": np.ones_like(inputs["decoder_input_ids"]),
    }
    labels = with_labels(make_inputs("plain", seed, length), seed)["labels"]
    return {**masks, **inputs, "labels": labels}


@pytest.mark.parametrize("policy", ["float32", *POLICIES])
@pytest.mark.parametrize("pattern", [*PATTERNS, "nothing_real"])
def test_every_pattern_is_finite(get_model, policy, pattern):
    _, step = get_model(policy)
    outputs, loss, gradients = step(to_tensors(make(pattern, 5, 29)))
    for value in tf.nest.flatten(outputs):
        assert np.isfinite(np.asarray(value, "float32")).all()
    assert np.isfinite(loss) and loss > 0
    for path, gradient in gradients.items():
        assert np.isfinite(gradient).all(), path
    assert any(np.any(gradient != 0) for gradient in gradients.values())


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)]
)
def test_close_to_full_precision(get_model, policy, tolerance):
    inputs = to_tensors(make("unequal_globals", 11, 29))
    half, half_loss, _ = get_model(policy)[1](inputs)
    full, loss, _ = get_model("float32")[1](inputs)
    assert half.encoder_last_hidden_state.dtype == policy.removeprefix("mixed_")
    assert half_loss.dtype == "float32"
    assert relative_error(half.logits, full.logits) <= tolerance
    assert relative_error(half_loss, loss) <= tolerance


@pytest.mark.parametrize("policy", POLICIES)
def test_attention_maps_are_finite(get_model, policy):
    model, _ = get_model(policy)
    inputs = nothing_real(7, 13)
    outputs = model(inputs, output_attentions=True)
    for name in ("encoder_attentions", "encoder_global_attentions", "cross_attentions"):
        for probs in outputs[name]:
            assert np.isfinite(np.asarray(probs, "float32")).all()
