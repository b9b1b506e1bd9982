"""Logits, every hidden state and all attention probabilities equal PyTorch's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parity.compare import FORWARD, assert_outputs_match, relative_error
from tests.parity.oracle import (
    EVERYTHING,
    LAYOUTS,
    run_eagerly,
    run_ours,
    run_theirs,
    source_mask,
)
from tests.parity.patterns import PATTERNS, make_inputs


def check(pair, inputs):
    mine, theirs = run_ours(pair, inputs), run_theirs(pair, inputs, **EVERYTHING)
    assert_outputs_match(mine, theirs, inputs)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_output(pair, pattern):
    seed = list(PATTERNS).index(pattern)
    length = np.random.default_rng(seed).integers(5, pair.max_len)
    check(pair, make_inputs(pattern, seed, length))


@given(data=st.data())
def test_any_masks(get_pair, data):
    pair = get_pair(data.draw(st.sampled_from(list(LAYOUTS))))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    batch, target = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 9))
    shape = [batch, data.draw(st.integers(1, pair.max_len))]
    fractions = st.sampled_from([0.0, 0.1, 0.5, 1.0])
    global_fraction, minus_fraction, padding_fraction = (
        data.draw(fractions) for _ in range(3)
    )
    is_real = rng.random(shape) >= padding_fraction
    is_real[np.arange(batch), rng.integers(0, shape[1], batch)] = True
    is_global = rng.random(shape) < global_fraction * rng.random([batch, 1])
    inputs = {
        "input_ids": rng.integers(0, 29, shape),
        "attention_mask": is_real.astype(int),
        "global_attention_mask": np.where(
            rng.random(shape) < minus_fraction, -1, is_global.astype(int)
        ),
        "decoder_input_ids": rng.integers(0, 29, [batch, target]),
        "decoder_attention_mask": rng.integers(0, 2, [batch, target]),
    }
    check(pair, inputs)


@pytest.mark.slow
def test_lengths_from_one_to_the_limit(pair):
    for length in [1, 2, 3, 7, 13, pair.max_len - 1, pair.max_len]:
        check(pair, make_inputs("first_global", length, length, target=5))


def test_targets_from_one_to_the_limit(get_pair):
    pair = get_pair("one_window")
    for target in [1, 2, 31, pair.config.max_decoder_position_embeddings]:
        check(pair, make_inputs("padded_targets", target, 13, target=target))


@pytest.mark.parametrize("pattern", ["plain", "no_globals", "padded_targets"])
def test_eager_calls(get_pair, pattern):
    pair = get_pair("falling_windows")
    inputs = make_inputs(pattern, 3, 19)
    mine = run_eagerly(pair, inputs, **EVERYTHING)
    theirs = run_theirs(pair, inputs, **EVERYTHING)
    assert_outputs_match(mine, theirs, inputs)
    # Where no token is global PyTorch has no such probabilities; ours follow the mask.
    has_mask = "global_attention_mask" in inputs
    assert ("encoder_global_attentions" in mine) == has_mask


def test_the_decoder_starts_from_the_shifted_document(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("first_global", 5, 19)
    del inputs["decoder_input_ids"]
    check_logits(pair, inputs, inputs)


def test_the_decoder_starts_from_the_shifted_labels(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("first_global", 7, 19)
    inputs["labels"] = inputs.pop("decoder_input_ids")
    inputs["labels"][1, 3:] = -100
    check_logits(pair, inputs, inputs)


def test_embeddings_replace_ids(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("first_global", 11, 19)
    table = pair.weights["led.shared.weight"]
    embeds = {
        "inputs_embeds": table[inputs["input_ids"]],
        "decoder_inputs_embeds": table[inputs["decoder_input_ids"]],
    }
    masks = {name: mask for name, mask in inputs.items() if "mask" in name}
    check_logits(pair, {**masks, **embeds}, inputs)
    check_logits(pair, {**masks, **embeds}, {**masks, **embeds})


def check_logits(pair, our_inputs, their_inputs):
    mine = run_eagerly(pair, our_inputs)
    theirs = run_theirs(pair, their_inputs)
    assert relative_error(mine["logits"], theirs["logits"]) <= FORWARD


def test_the_models_let_no_mistake_hide(pair):
    """Attention is far from uniform; document and global mask change the outputs."""
    inputs = make_inputs("first_global", 13, pair.max_len - 1)
    base = run_theirs(pair, inputs, **EVERYTHING)
    for name in ("encoder_attentions", "cross_attentions", "encoder_global_attentions"):
        for number, probs in enumerate(base[name]):
            assert peak(probs, name, inputs) > 2, (name, number)
    for name in ("input_ids", "global_attention_mask"):
        changed = {**inputs, name: np.roll(inputs[name], 3, axis=1)}
        logits = run_theirs(pair, changed)["logits"]
        assert relative_error(logits, base["logits"]) > 100 * FORWARD, name


def peak(probs, name, inputs):
    """The largest probability of a query, mean over all; 1 where all are equal."""
    if name == "encoder_global_attentions":
        probs = probs.swapaxes(2, 3)
    elif name == "encoder_attentions":
        local = source_mask(inputs).copy()
        local[:, 0] = False
        probs = probs.swapaxes(1, 2)[local]
    return (probs.max(axis=-1) * (probs > 0).sum(axis=-1)).mean()
