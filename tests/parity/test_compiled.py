"""Eager, `tf.function` and XLA give the same numbers, and lengths share a trace."""

import numpy as np
import pytest
import tensorflow as tf

from tests.parity.compare import assert_outputs_match, relative_error
from tests.parity.gradients import (
    assert_gradients_match,
    gradient_tensors,
    to_theirs,
    torch_gradients,
    with_labels,
)
from tests.parity.oracle import (
    EVERYTHING,
    make_pair,
    run_eagerly,
    run_ours,
    run_theirs,
    to_arrays,
    to_tensors,
)
from tests.parity.patterns import make_inputs

TOLERANCE = 5e-5


def test_every_output_in_a_graph(get_pair):
    pair = get_pair("falling_windows")
    inputs = make_inputs("unequal_globals", 3, 37)
    eager = run_eagerly(pair, inputs, **EVERYTHING)
    assert_outputs_match(run_ours(pair, inputs), eager, inputs, TOLERANCE)


@pytest.fixture(scope="module")
def long_pair(tmp_path_factory):
    """Long enough for two bounds on the global tokens under XLA: 16, and the length."""
    layout = {
        "attention_window": 24,
        "max_encoder_position_embeddings": 96,
        "encoder_layers": 1,
        "decoder_layers": 1,
    }
    return make_pair(layout, tmp_path_factory.mktemp("long"))


@pytest.mark.slow
def test_xla_with_any_number_of_global_tokens(long_pair):
    """One compilation serves them all: the number is data, not shape."""
    call = tf.function(long_pair.ours, jit_compile=True)  # with AutoGraph, as users do
    for pattern in ("no_globals", "unequal_globals", "all_global", "tokenizer_padding"):
        inputs = make_inputs(pattern, 3, 89)
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        compiled = to_arrays(call(to_tensors(inputs)))
        theirs = run_theirs(long_pair, inputs)
        assert_outputs_match(compiled, theirs, inputs, TOLERANCE)
    assert call.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_xla_gradients_with_any_number_of_global_tokens(long_pair):
    ours = long_pair.ours
    compiled = tf.function(
        lambda x: gradient_tensors(ours, x), jit_compile=True, autograph=False
    )
    for pattern in ("unequal_globals", "first_global"):
        inputs = with_labels(make_inputs(pattern, 5, 89), seed=5)
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        outputs, gradients = compiled(to_tensors(inputs))
        their_loss, theirs = torch_gradients(long_pair.theirs, inputs)
        assert relative_error(outputs.loss, their_loss) <= TOLERANCE
        assert_gradients_match(to_theirs(gradients), theirs)
    assert compiled.experimental_get_tracing_count() == 1


def test_ten_lengths_share_one_trace(get_pair):
    pair = get_pair("falling_windows")
    for length in [1, 2, 3, 5, 7, 11, 17, 23, 41, 48]:
        run_ours(pair, make_inputs("first_global", 3, length))
    assert pair.run.experimental_get_tracing_count() == 1
