"""What must hold whatever the weights: rows, padding and order do not matter."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

import tf_led
from tests.parity.compare import relative_error
from tests.parity.oracle import run_ours, to_tensors
from tests.parity.patterns import PATTERNS, make_inputs
from tf_led.testing import fill_spread, tiny_config

TOLERANCE = 5e-5
SOURCE = ["input_ids", "attention_mask", "global_attention_mask"]


def with_all_masks(inputs):
    ids = inputs["input_ids"]
    return {
        "attention_mask": np.ones_like(ids),
        "global_attention_mask": np.zeros_like(ids),
        **inputs,
    }


def logits_of(pair, inputs):
    """Logits where the decoder's token is real, 0 elsewhere."""
    logits = run_ours(pair, inputs)["logits"]
    mask = inputs.get("decoder_attention_mask")
    return logits if mask is None else np.where(mask[..., None] > 0, logits, 0)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_batch_equals_its_rows(get_pair, pattern):
    pair = get_pair("falling_windows")
    inputs = make_inputs(pattern, 3, 29)
    batch = logits_of(pair, inputs)
    for i in range(len(batch)):
        row = {name: array[i : i + 1] for name, array in inputs.items()}
        assert relative_error(logits_of(pair, row), batch[i : i + 1]) <= TOLERANCE


@pytest.mark.parametrize("pattern", PATTERNS)
def test_more_padding_changes_nothing(get_pair, pattern):
    pair = get_pair("falling_windows")
    inputs = with_all_masks(make_inputs(pattern, 5, 29))
    padded = dict(inputs)
    for name, value in zip(SOURCE, [1, 0, -1], strict=True):
        padded[name] = np.pad(inputs[name], [(0, 0), (0, 13)], constant_values=value)
    error = relative_error(logits_of(pair, padded), logits_of(pair, inputs))
    assert error <= TOLERANCE


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_permuted_batch_gives_permuted_results(get_pair, pattern):
    pair = get_pair("falling_windows")
    inputs = make_inputs(pattern, 7, 29)
    order = [2, 0, 1]
    permuted = {name: array[order] for name, array in inputs.items()}
    error = relative_error(logits_of(pair, permuted), logits_of(pair, inputs)[order])
    assert error <= TOLERANCE


@pytest.fixture(scope="module")
def shallow():
    """One layer, so that nothing is seen at second hand."""
    config = tiny_config(attention_window=6, encoder_layers=1)
    model = tf_led.TFLEDForConditionalGeneration(config)
    fill_spread(model)
    names = ["input_ids", "attention_mask", "global_attention_mask"]
    signature = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}
    return tf.function(
        lambda inputs: model.get_encoder()(inputs).last_hidden_state,
        input_signature=[signature],
        autograph=False,
    )


@pytest.mark.slow
@given(data=st.data())
def test_a_token_reaches_only_those_that_see_it(shallow, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    length = data.draw(st.integers(1, 41))
    at = data.draw(st.integers(0, length - 1))
    is_global = rng.random(length) < data.draw(st.sampled_from([0.0, 0.1, 0.5]))
    is_real = rng.random(length) < data.draw(st.sampled_from([1.0, 0.7]))
    inputs = {
        "input_ids": rng.integers(3, 29, [1, length]),
        "attention_mask": is_real[None].astype(int),
        "global_attention_mask": is_global[None].astype(int),
    }
    changed = dict(inputs, input_ids=inputs["input_ids"].copy())
    changed["input_ids"][0, at] = 3 + (inputs["input_ids"][0, at] - 2) % 26
    before, after = (
        shallow(to_tensors(given)).numpy()[0] for given in (inputs, changed)
    )
    moved = np.abs(before - after).max(axis=-1) > 1e-6
    near = np.abs(np.arange(length) - at) <= 3
    may_see = is_real & is_real[at] & (near | is_global | is_global[at])
    may_see[at] = True
    assert moved[at]
    assert not np.any(moved & ~may_see)
