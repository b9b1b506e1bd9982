"""Half precision stays finite, forward and backward, whatever is masked."""

import numpy as np
import pytest
import tensorflow as tf

import tf_led
from tests.parity.compare import relative_error
from tests.parity.gradients import gradient_tensors, with_labels
from tests.parity.oracle import INPUTS, to_tensors
from tests.parity.patterns import PATTERNS, make_inputs
from tf_led.testing import (
    dense_led_forward,
    fill_spread,
    spread_weights,
    tiny_config,
)

POLICIES = ["mixed_bfloat16", "mixed_float16"]
CONFIG = tiny_config(attention_window=8, encoder_layers=1, decoder_layers=1)


@pytest.fixture(scope="module")
def get_step():
    """Makes one model of each precision, all with the same weights."""
    steps = {}

    def get(policy):
        if policy not in steps:
            model = tf_led.TFLEDForConditionalGeneration(CONFIG, dtype=policy)
            fill_spread(model)
            steps[policy] = compile_step(model)
        return steps[policy]

    return get


def compile_step(model):
    """Outputs and gradients in one graph for all shapes."""
    names = [*INPUTS, "labels"]
    signature = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}
    return tf.function(
        lambda inputs: gradient_tensors(model, inputs, output_hidden_states=True),
        input_signature=[signature],
        autograph=False,
    )


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


def assert_finite(outputs):
    for value in tf.nest.flatten(outputs):
        assert np.isfinite(np.asarray(value, "float32")).all()


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("pattern", [*PATTERNS, "nothing_real"])
def test_every_pattern_is_finite(get_step, policy, pattern):
    outputs, gradients = get_step(policy)(to_tensors(make(pattern, 5, 29)))
    assert_finite(outputs)
    assert outputs.loss > 0
    for path, gradient in gradients.items():
        assert np.isfinite(gradient).all(), path
    assert any(np.any(gradient != 0) for gradient in gradients.values())


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)]
)
def test_close_to_full_precision(get_step, policy, tolerance):
    inputs = make("unequal_globals", 11, 29)
    outputs, _ = get_step(policy)(to_tensors(inputs))
    assert outputs.encoder_last_hidden_state.dtype == policy.removeprefix("mixed_")
    assert outputs.loss.dtype == "float32"
    del inputs["labels"]
    dense = dense_led_forward(spread_weights(CONFIG), CONFIG, **inputs)
    assert relative_error(outputs.logits, dense["logits"]) <= tolerance


@pytest.mark.parametrize("policy", ["float32", *POLICIES])
def test_attention_probs_are_finite(policy):
    model = tf_led.TFLEDForConditionalGeneration(CONFIG, dtype=policy)
    fill_spread(model)
    assert_finite(model(nothing_real(7, 13), output_attentions=True))
