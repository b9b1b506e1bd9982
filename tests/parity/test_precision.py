"""Half precision stays finite, forward and backward, whatever is masked."""

import keras
import numpy as np
import pytest

import tf_led
from tests.parity.compare import relative_error
from tests.parity.gradients import our_gradients, with_labels
from tests.parity.patterns import PATTERNS, make_inputs
from tf_led.testing import fill_spread, tiny_config

POLICIES = ["mixed_bfloat16", "mixed_float16"]


@pytest.fixture(scope="module")
def get_model():
    """Makes one model of each precision, all with the same weights."""
    models = {}

    def get(policy):
        if policy not in models:
            before = keras.config.dtype_policy()
            keras.config.set_dtype_policy(policy)
            try:
                config = tiny_config(attention_window=[8, 4])
                models[policy] = tf_led.TFLEDForConditionalGeneration(config)
            finally:
                keras.config.set_dtype_policy(before)
            fill_spread(models[policy])
        return models[policy]

    return get


def nothing_real(seed):
    """A document without a token, a decoder input without one, and a global mask."""
    inputs = make_inputs("padded_targets", seed, 21)
    inputs["attention_mask"][0] = 0
    inputs["decoder_attention_mask"][1] = 0
    inputs["global_attention_mask"][2] = -1
    return inputs


def check_finite(model, inputs):
    outputs = model(inputs, output_attentions=True, output_hidden_states=True)
    for name, values in outputs.items():
        for value in values if isinstance(values, tuple) else [values]:
            if name != "past_key_values":
                assert np.isfinite(np.asarray(value, "float32")).all(), name
    loss, gradients = our_gradients(model, with_labels(inputs, seed=3))
    assert np.isfinite(loss)
    for name, gradient in gradients.items():
        assert np.isfinite(gradient).all(), name
    assert any(np.any(gradient != 0) for gradient in gradients.values())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_finite(get_model, policy, pattern):
    check_finite(get_model(policy), make_inputs(pattern, 5, 29))


@pytest.mark.parametrize("policy", ["float32", *POLICIES])
def test_fully_masked_rows_are_finite(get_model, policy):
    check_finite(get_model(policy), nothing_real(7))


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)]
)
def test_close_to_full_precision(get_model, policy, tolerance):
    inputs = make_inputs("unequal_globals", 11, 29)
    half = get_model(policy)(inputs)
    full = get_model("float32")(inputs).logits
    assert half.encoder_last_hidden_state.dtype == policy.removeprefix("mixed_")
    assert relative_error(half.logits, full) <= tolerance
