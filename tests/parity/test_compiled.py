"""Eager, `tf.function` and XLA give the same numbers, and lengths share a trace."""

import numpy as np
import pytest
import tensorflow as tf

from tests.parity.compare import assert_outputs_match, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    gradient_tensors,
    to_theirs,
    with_labels,
)
from tests.parity.oracle import run_ours
from tests.parity.patterns import make_inputs

TOLERANCE = 1e-5
EVERYTHING = {"output_attentions": True, "output_hidden_states": True}


def to_tensors(inputs):
    return {name: tf.constant(array, tf.int32) for name, array in inputs.items()}


def compile_call(pair, jit_compile, **options):
    @tf.function(jit_compile=jit_compile)
    def call(inputs):
        return pair.ours(inputs, **options)

    return lambda inputs: {
        name: value
        for name, value in run_ours(
            pair._replace(ours=call), to_tensors(inputs)
        ).items()
    }


@pytest.mark.parametrize("pattern", ["plain", "unequal_globals", "tokenizer_padding"])
def test_every_output_in_a_graph(get_pair, pattern):
    pair = get_pair("falling_windows")
    call = compile_call(pair, jit_compile=False, **EVERYTHING)
    inputs = make_inputs(pattern, 3, 37)
    eager = run_ours(pair, inputs, **EVERYTHING)
    assert_outputs_match(call(inputs), eager, inputs, TOLERANCE)


def test_xla_with_any_number_of_global_tokens(get_pair):
    """One compilation serves them all: the number is data, not shape."""
    pair = get_pair("falling_windows")
    call = compile_call(pair, jit_compile=True)
    for pattern in ("no_globals", "unequal_globals", "all_global", "tokenizer_padding"):
        inputs = make_inputs(pattern, 3, 37)
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        eager = run_ours(pair, inputs)
        assert_outputs_match(call(inputs), eager, inputs, TOLERANCE)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients(get_pair, jit_compile):
    pair = get_pair("one_window")
    inputs = to_tensors(with_labels(make_inputs("unequal_globals", 5, 23), seed=5))
    eager_loss, eager = gradient_tensors(pair.ours, inputs)
    compiled = tf.function(
        lambda inputs: gradient_tensors(pair.ours, inputs), jit_compile=jit_compile
    )
    loss, gradients = compiled(inputs)
    assert relative_error(loss, eager_loss) <= TOLERANCE
    assert_gradients_match(to_theirs(gradients), to_theirs(eager))


def test_ten_lengths_share_one_trace(get_pair):
    pair = get_pair("falling_windows")
    names = [
        "input_ids",
        "attention_mask",
        "global_attention_mask",
        "decoder_input_ids",
    ]
    traces = []

    @tf.function(
        input_signature=[{n: tf.TensorSpec([None, None], tf.int32, n) for n in names}]
    )
    def call(inputs):
        traces.append(1)
        return pair.ours(inputs).logits

    for length in [1, 2, 3, 5, 7, 11, 17, 23, 41, 48]:
        inputs = make_inputs("first_global", length, length, target=1 + length % 7)
        eager = pair.ours(inputs).logits
        assert relative_error(call(to_tensors(inputs)), eager) <= TOLERANCE
    assert len(traces) == 1
