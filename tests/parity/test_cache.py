"""Decoding step by step with a cache equals decoding at once."""

import numpy as np
import pytest
import torch

from tests.parity.compare import relative_error
from tests.parity.oracle import run_eagerly
from tests.parity.patterns import make_inputs

TOLERANCE = 5e-5
TARGET = 7


def encode(pair, inputs):
    source = ["input_ids", "attention_mask", "global_attention_mask"]
    given = {name: inputs[name] for name in source if name in inputs}
    return pair.ours.get_encoder()(**given)


def decode_in_steps(pair, inputs, steps):
    """Logits of the decoder's inputs, fed `steps` tokens at a time."""
    encoder_outputs, past, start, logits = encode(pair, inputs), None, 0, []
    mask = inputs.get("decoder_attention_mask")
    for step in steps:
        end = start + step
        outputs = pair.ours(
            encoder_outputs=encoder_outputs,
            attention_mask=inputs.get("attention_mask"),
            decoder_input_ids=inputs["decoder_input_ids"][:, start:end],
            decoder_attention_mask=None if mask is None else mask[:, :end],
            past_key_values=past,
            use_cache=True,
        )
        past, start = outputs.past_key_values, end
        logits.append(np.asarray(outputs.logits))
    return np.concatenate(logits, axis=1), past


@pytest.mark.parametrize("steps", [[1] * TARGET, [3, 1, 3], [5, 2], [TARGET]])
@pytest.mark.parametrize("pattern", ["plain", "left_padding", "padded_targets"])
def test_steps_equal_one_pass(get_pair, pattern, steps):
    """With padded targets this is not PyTorch's: its single steps ignore the mask."""
    pair = get_pair("falling_windows")
    inputs = make_inputs(pattern, 3, 21, target=TARGET)
    whole = np.asarray(pair.ours(inputs, use_cache=False).logits)
    logits, _ = decode_in_steps(pair, inputs, steps)
    rows = inputs.get("decoder_attention_mask", np.ones([3, TARGET])) > 0
    assert relative_error(logits[rows], whole[rows]) <= TOLERANCE


def test_cache_is_a_tuple_of_four_tensors_per_layer(get_pair):
    pair = get_pair("wide_heads")
    inputs = make_inputs("first_global", 5, 19, target=TARGET)
    _, past = decode_in_steps(pair, inputs, [3, 1])
    heads = pair.config.decoder_attention_heads
    size = pair.config.d_model // heads
    assert len(past) == pair.config.decoder_layers
    for layer in past:
        shapes = [tuple(tensor.shape) for tensor in layer]
        assert shapes == [(3, heads, 4, size)] * 2 + [(3, heads, 19, size)] * 2


def test_cache_holds_what_pytorchs_holds(get_pair):
    pair = get_pair("wide_heads")
    inputs = make_inputs("first_global", 7, 19)
    past = pair.ours(inputs, use_cache=True).past_key_values
    cache = make_their_cache(pair, inputs)
    for layer, theirs in zip(past, cache, strict=True):
        for mine, other in zip(layer, theirs, strict=True):
            assert relative_error(mine, other) <= 1e-4


def make_their_cache(pair, inputs):
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    with torch.no_grad():
        cache = pair.theirs(**tensors, use_cache=True).past_key_values
    both = zip(
        cache.self_attention_cache.layers,
        cache.cross_attention_cache.layers,
        strict=True,
    )
    return [(own.keys, own.values, cross.keys, cross.values) for own, cross in both]


def test_no_cache_unless_used(get_pair):
    pair = get_pair("wide_heads")
    inputs = make_inputs("plain", 11, 13)
    assert pair.ours(inputs, use_cache=False).past_key_values is None
    labels = inputs["decoder_input_ids"]
    assert pair.ours({**inputs, "labels": labels}).past_key_values is None


def test_encoder_outputs_replace_the_encoder(get_pair):
    pair = get_pair("wide_heads")
    inputs = make_inputs("first_global", 13, 17)
    whole = run_eagerly(pair, inputs)
    decoder = {k: v for k, v in inputs.items() if not k.startswith(("input", "global"))}
    encoder_outputs = encode(pair, inputs)
    for given in (encoder_outputs, tuple(encoder_outputs.to_tuple())):
        again = run_eagerly(pair, {**decoder, "encoder_outputs": given})
        assert relative_error(again["logits"], whole["logits"]) <= TOLERANCE
